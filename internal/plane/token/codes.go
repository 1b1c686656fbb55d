package token

// The stable codes of errors of this package.
const (
	// KindNotFound.

	CodeTokenNotFound     = "token_not_found"
	CodeAccountNotFound   = "service_account_not_found"
	CodePublisherNotFound = "publisher_not_found"

	// KindConflict.

	CodeTokenExists     = "token_exists"
	CodeLastToken       = "last_token" // deleting it would lock everybody out
	CodeFromEnvironment = "token_from_environment"
	CodeNotRotated      = "token_not_rotated" // of a CI run: it is over in minutes
	CodePublisherExists = "publisher_exists"

	// KindInvalid.

	CodeNameInvalid      = "name_invalid"
	CodeActionInvalid    = "action_invalid"
	CodeLimitsInvalid    = "limits_invalid"
	CodeIPRangeInvalid   = "ip_range_invalid"
	CodeExpiryInvalid    = "expiry_invalid"
	CodeOverlapInvalid   = "overlap_invalid"
	CodeTokenWeak        = "token_weak"
	CodePublisherInvalid = "publisher_invalid"
	CodeAmbiguous        = "publisher_ambiguous" // several match the run

	// KindUnauthorized. All but the first only for callers who had a secret
	// that is, or was, right.

	CodeTokenInvalid  = "token_invalid"
	CodeTokenExpired  = "token_expired"
	CodeTokenIPDenied = "token_ip_denied"
	CodeOwnerDisabled = "token_owner_disabled"

	// KindForbidden.

	CodeTokenBroader = "token_broader" // than its maker
	CodeNotAllowed   = "not_allowed"

	// KindUnauthorized, of the exchange. The first says nothing about why; the
	// rest only to those whose ID token an allowed issuer signed.

	CodeExchangeRefused  = "exchange_refused"
	CodeIDTokenExpired   = "id_token_expired"
	CodeIDTokenEarly     = "id_token_not_yet_valid"
	CodeIDTokenClaims    = "id_token_claims_invalid"
	CodeIDTokenAudience  = "id_token_audience_wrong"
	CodeIDTokenReplayed  = "id_token_replayed"
	CodePublisherRefused = "publisher_mismatch"

	// KindUnavailable, of the exchange.

	CodeExchangeOff   = "exchange_off"
	CodeExchangeBusy  = "exchange_busy"
	CodeIssuerTrouble = "issuer_unreachable"
)
