package enrol

import "github.com/waxwing-ota/waxwing/internal/core/ota"

// Codes of errors. Refusals of grants have those of core/access.
const (
	CodeClosed          = "enrolment_closed"      // forbidden: the app enrols nobody
	CodeBusy            = "enrolment_busy"        // unavailable: too many ask
	CodeNonce           = "enrolment_nonce"       // unauthorized: not a nonce of this server, expired, or used
	CodeApp             = "enrolment_app"         // invalid: the request is about another app
	CodeSignature       = "enrolment_signature"   // unauthorized: not signed by the key to be certified
	CodeKeyTaken        = "enrolment_key"         // conflict: the key is enrolled under another device
	CodeIDToken         = "enrolment_id_token"    // unauthorized: not a token of the app's issuer, for here and now
	CodeRevoked         = "enrolment_revoked"     // forbidden: the device or its user was revoked
	CodePolicy          = "sealed_policy_invalid" // invalid: see Field
	CodeDevice          = "sealed_device_unknown" // not found
	CodeRevocation      = "sealed_revocation"     // invalid, conflict or not found: see the message
	CodeManifest        = "grant_manifest"        // not found: no manifest that keys are granted for
	CodeKeyless         = "grant_key_missing"     // conflict: the key of the epoch was never handed in
	CodeBroker          = "grant_broker"          // unavailable: the key broker cannot be asked
	CodeRefusedByBroker = "grant_broker_refused"  // forbidden: the key broker said no
	CodeReport          = "sealed_report_refused" // unauthorized: not a report of an enrolled device
	CodeCustody         = "custody_unavailable"   // unavailable: the server's half of the content keys is not there
)

func policyInvalid(field, format string, a ...any) *ota.Error {
	return ota.Invalid(CodePolicy, format, a...).WithField(field)
}
