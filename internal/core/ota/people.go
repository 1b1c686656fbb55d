package ota

// User is a person who may sign in. The mail address names them and is unique
// regardless of case.
type User struct {
	ID         int64  `json:"id"`
	Email      string `json:"email"`
	Name       string `json:"name"`
	CreatedAt  int64  `json:"created_at"`
	CreatedBy  Actor  `json:"created_by"`
	InvitedBy  int64  `json:"invited_by"`  // the user who invited them; 0 = set up, or by single sign-on
	InvitedVia string `json:"invited_via"` // see [Invitation]; "" = not by an invitation
	DisabledAt int64  `json:"disabled_at"` // 0 = may sign in
	LastSeen   int64  `json:"last_seen"`
}

// Group is a set of users of an organisation that roles are granted to together.
type Group struct {
	ID        int64  `json:"id"`
	Org       string `json:"org"`
	Name      string `json:"name"`
	CreatedAt int64  `json:"created_at"`
}

// ServiceAccount is a machine's identity: it holds roles and tokens, and
// cannot sign in to the console or approve.
type ServiceAccount struct {
	ID         int64  `json:"id"`
	Org        string `json:"org"`
	Name       string `json:"name"`
	CreatedAt  int64  `json:"created_at"`
	CreatedBy  Actor  `json:"created_by"`
	DisabledAt int64  `json:"disabled_at"`
}

// SubjectKind says what a role is granted to.
type SubjectKind string

// The kinds of subject.
const (
	SubjectUser    SubjectKind = "user"
	SubjectGroup   SubjectKind = "group"
	SubjectService SubjectKind = "service"
)

// RoleGrant is one stored grant.
type RoleGrant struct {
	ID          int64       `json:"id"`
	SubjectKind SubjectKind `json:"subject_kind"`
	SubjectID   int64       `json:"subject_id"`
	Grant
	CreatedAt int64 `json:"created_at"`
	CreatedBy Actor `json:"created_by"`
}
