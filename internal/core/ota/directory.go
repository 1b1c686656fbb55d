package ota

// Member is a user in a group. Source is "manual", or the single sign-on
// provider that keeps the membership.
type Member struct {
	User
	Source string `json:"source"`
}

// MemberManual is the source of a membership that somebody made by hand.
const MemberManual = "manual"

// NewOrg asks for an organisation.
type NewOrg struct {
	ID   string `json:"id"`
	Name string `json:"name,omitempty"` // "" = the id
}

// OrgPatch changes an organisation.
type OrgPatch struct {
	Name *string `json:"name,omitempty"`
}

// NewUser asks for a user with a first role. How they sign in is set up later.
type NewUser struct {
	Email string `json:"email"`
	Name  string `json:"name,omitempty"`
	Grant        // the first role; a user without one would be in no organisation
}

// UserPatch changes a user.
type UserPatch struct {
	Email    *string `json:"email,omitempty"`
	Name     *string `json:"name,omitempty"`
	Disabled *bool   `json:"disabled,omitempty"` // takes away every right at once
}

// NewGroup asks for a group.
type NewGroup struct {
	Org  string `json:"org,omitempty"` // "" = MainOrg
	Name string `json:"name"`
}

// GroupPatch changes a group.
type GroupPatch struct {
	Name *string `json:"name,omitempty"`
}

// NewServiceAccount asks for a service account.
type NewServiceAccount struct {
	Org  string `json:"org,omitempty"` // "" = MainOrg
	Name string `json:"name"`
}

// ServicePatch changes a service account.
type ServicePatch struct {
	Name     *string `json:"name,omitempty"`
	Disabled *bool   `json:"disabled,omitempty"` // takes away every right at once
}

// NewGrant gives a role to a subject, named by id or by name: a user's mail
// address, a group's or service account's name in the scope's organisation.
type NewGrant struct {
	SubjectKind SubjectKind `json:"subject_kind"`
	SubjectID   int64       `json:"subject_id,omitempty"`
	Subject     string      `json:"subject,omitempty"`
	Grant
}
