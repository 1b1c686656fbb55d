package identity

import "github.com/waxwing-ota/waxwing/internal/core/ota"

// Codes of errors that callers tell apart.
const (
	CodeSignInFailed   = "sign_in_failed"
	CodeTooMany        = "too_many_attempts"
	CodeSignedOut      = "signed_out"
	CodeFlowExpired    = "flow_expired"
	CodeStepUp         = "step_up_required"
	CodeLinkInvalid    = "link_invalid"
	CodeLinkVoid       = "link_void" // its maker could not make it any more
	CodeLastMethod     = "last_sign_in_method"
	CodeLastOwner      = "last_owner"
	CodeSetupDone      = "setup_done"
	CodeNoPasskeysHere = "passkeys_unavailable"
	CodePasskeyFailed  = "passkey_refused"
	CodeSSOFailed      = "sso_failed"
	CodeSSONotAllowed  = "sso_not_allowed"
	CodeProviderNone   = "sso_provider_not_found"

	CodeDeliverInvalid  = "deliver_invalid"
	CodeMailUnavailable = "mail_not_configured"
	CodeMailUnsent      = "invitation_unsent"
)

// errSignIn is the one answer to every sign-in that is not good.
func errSignIn() *ota.Error {
	return ota.Errorf(ota.KindUnauthorized, CodeSignInFailed, "that did not sign you in").
		WithHint("check what you entered; an administrator can make you a new link to enrol with")
}

func errFlow() *ota.Error {
	return ota.Invalid(CodeFlowExpired, "this took too long, was done already, or began in another window").
		WithHint("start over")
}

func errLink() *ota.Error {
	return ota.Errorf(ota.KindUnauthorized, CodeLinkInvalid, "this link is wrong, expired, used or revoked").
		WithHint("ask an administrator for a new one; for the first user: waxwing setup-link")
}

func errSignedOut() *ota.Error {
	return ota.Errorf(ota.KindUnauthorized, CodeSignedOut, "you are not signed in").WithHint("sign in at /console/sign-in")
}
