package ota

// Decision is whether somebody may do something, and why.
type Decision struct {
	Allowed  bool         `json:"allowed"`
	Action   string       `json:"action"`
	Resource Scope        `json:"resource"`
	Subject  string       `json:"subject"`          // who it is about
	Code     string       `json:"code,omitempty"`   // of the error they would get
	Reason   string       `json:"reason,omitempty"` // its text
	Policies []PolicyNote `json:"policies" nullable:"false"`
	Held     []HeldRole   `json:"held" nullable:"false"` // every role of the subject
}

// PolicyNote names a policy that decided.
type PolicyNote struct {
	ID   string `json:"id"`
	File string `json:"file"` // where operators find it, in the folder of the policies
}

// HeldRole is a role somebody holds.
type HeldRole struct {
	Grant
	Via     string `json:"via"`     // "grant 7", "group testers (grant 3)" or "credential"
	Applies bool   `json:"applies"` // it holds on the resource
}

// Permission says whether a role has an action.
type Permission string

// The permissions.
const (
	PermissionYes       Permission = "yes"
	PermissionNotPublic Permission = "not-public" // on channels that are not public
	PermissionNo        Permission = "no"
)

// MatrixRow is what every role may do of one action.
type MatrixRow struct {
	Action    string              `json:"action"`
	Dangerous bool                `json:"dangerous"` // a person must have proved lately to be there
	Server    bool                `json:"server"`    // only roles in the main organisation reach it
	Roles     map[Role]Permission `json:"roles"`
}
