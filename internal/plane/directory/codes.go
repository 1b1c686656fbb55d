package directory

// The stable codes of errors of this package.
const (
	// KindNotFound.

	CodeUserNotFound    = "user_not_found"
	CodeGroupNotFound   = "group_not_found"
	CodeServiceNotFound = "service_account_not_found"
	CodeGrantNotFound   = "grant_not_found"
	CodeNotMember       = "member_not_found"

	// KindConflict.

	CodeOrgExists     = "org_exists"
	CodeOrgInUse      = "org_in_use" // it has apps
	CodeMainOrg       = "main_org"   // it cannot be deleted
	CodeUserExists    = "user_exists"
	CodeGroupExists   = "group_exists"
	CodeServiceExists = "service_account_exists"
	CodeGrantExists   = "grant_exists"
	CodeLastOwner     = "last_owner" // nobody could let others in any more

	// KindInvalid.

	CodeOrgInvalid     = "org_invalid"
	CodeEmailInvalid   = "email_invalid"
	CodeLabelInvalid   = "label_invalid" // the name of a person, group or account
	CodeRoleInvalid    = "role_invalid"
	CodeScopeInvalid   = "scope_invalid"
	CodeSubjectInvalid = "subject_invalid"

	// KindForbidden.

	CodeOutranked = "outranked" // it takes a higher role than the caller's
)
