package authz

// The stable codes of errors of this package.
const (
	// KindForbidden.

	CodeNotAllowed = "not_allowed"
	CodeStepUp     = "step_up_required" // the person must prove to be there first

	// KindInvalid: asked to be explained, but there is no such question.

	CodeActionUnknown   = "action_unknown"
	CodeActionMisplaced = "action_misplaced" // it is not asked about such a resource
)
