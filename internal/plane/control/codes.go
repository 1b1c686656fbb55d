package control

// The stable codes of errors of this package. Those of keys and signatures come
// from core/seal, those of paths from core/pack, those of names from core/ota,
// those of uploads from driver/blob.
const (
	// KindNotFound.

	CodeOrgNotFound     = "org_not_found"
	CodeAppNotFound     = "app_not_found"
	CodeKeyNotFound     = "key_not_found"
	CodeChannelNotFound = "channel_not_found"
	CodeBundleNotFound  = "bundle_not_found"
	CodeVariantNotFound = "variant_not_found"
	CodeBlobNotFound    = "blob_not_found"
	CodeDeviceNotFound  = "device_not_found"
	CodeReleaseNotFound = "release_not_found" // the version is not in the channel's history
	CodeRolloutNotFound = "rollout_not_found" // the channel has no rollout
	CodeTokenNotFound   = "token_not_found"
	CodeNoOverride      = "override_not_found"
	CodeNativeNotFound  = "native_not_found"
	CodeNoSBOM          = "sbom_not_found"
	CodeNoProvenance    = "provenance_not_found"
	CodeCohortNotFound  = "cohort_not_found"

	CodeApprovalNotFound = "approval_not_found"

	// KindConflict.

	CodeAppExists     = "app_exists"
	CodeKeyExists     = "key_exists" // another key with the same id
	CodeChannelExists = "channel_exists"
	CodeVersionExists = "version_exists" // with other content
	CodeBundleDeleted = "bundle_deleted"
	CodeBundleHeld    = "bundle_held"     // people took it out of service
	CodeChannelFrozen = "channel_frozen"  // nothing new goes on it
	CodeLastToken     = "last_token"      // nobody could get in without it
	CodeBundleInUse   = "bundle_in_use"   // a channel serves it
	CodeCurrent       = "already_current" // the channel's release is that version already
	CodeNothingBefore = "nothing_to_roll_back"
	CodeBlobMissing   = "blob_missing"

	CodeApprovalRequired   = "approval_required" // nothing was changed: others must approve first
	CodeApprovalClosed     = "approval_closed"
	CodeApprovalDigest     = "approval_digest_mismatch"
	CodeApprovalsFull      = "approvals_full"
	CodeExternalRefused    = "external_bundle_refused" // on a protected channel
	CodeBundleProtected    = "bundle_protected"        // a protected channel serves it
	CodeBindsFull          = "binds_full"
	CodeNativeExists       = "native_exists" // with other packages
	CodeTooManyNatives     = "too_many_natives"
	CodeTooManyCohorts     = "too_many_cohorts"
	CodeCohortInUse        = "cohort_in_use"    // a rollout or another cohort names it
	CodeCohortProtected    = "cohort_protected" // it decides who gets what was approved
	CodeNoPlan             = "rollout_without_steps"
	CodeProvenanceMissing  = "provenance_missing"  // the channel asks for it
	CodeProvenanceUnsigned = "provenance_unsigned" // the channel asks for a signature

	CodeScanBlocked = "scan_blocked" // findings keep the bundle off the channel
	CodeScanPending = "scan_pending" // the server's scan is demanded, and not done yet
	CodeScanMissing = "scan_missing" // the report that is demanded is not there

	// KindInvalid.

	CodeNameInvalid       = "name_invalid"
	CodeVersionNotSemver  = "version_not_semver"
	CodeNativeInvalid     = "min_native_invalid"
	CodeStrategyInvalid   = "strategy_invalid"
	CodeAutoHaltInvalid   = "auto_halt_invalid"
	CodeGuardInvalid      = "guard_invalid"
	CodeKeyStateInvalid   = "key_state_invalid"
	CodePercentageInvalid = "percentage_invalid"
	CodeTreeInvalid       = "tree_invalid"
	CodeTreeSourceMap     = "tree_source_map"
	CodeVariantInvalid    = "variant_invalid"
	CodeVariantFile       = "variant_file_invalid"
	CodeKeyMissing        = "key_missing"   // an active key has no variant
	CodeKeyUnknown        = "key_unknown"   // a variant for a key that is not registered
	CodePlainRefused      = "plain_refused" // the app takes only signed bundles
	CodeChecksumMismatch  = "checksum_mismatch"
	CodeSignatureWrong    = "signature_wrong" // it opens to something else
	CodeURLInvalid        = "url_invalid"
	CodeCohortInvalid     = "cohort_invalid"
	CodeTextTooLong       = "text_too_long"
	CodeImportInvalid     = "import_invalid"
	CodeHaltInvalid       = "halt_invalid"
	CodeApprovalInvalid   = "approval_policy_invalid"
	CodeReasonMissing     = "reason_missing"
	CodePlatformInvalid   = "platform_invalid"
	CodeNativeModeInvalid = "native_packages_invalid"
	CodeProvenanceMode    = "provenance_mode_invalid"
	CodeDocumentTooLarge  = "document_too_large"

	// KindUnavailable.

	CodeNotShown = "change_not_shown" // stored, but the snapshot could not be refreshed

	// KindForbidden.

	CodeApprovalPerson     = "approval_needs_person"
	CodeApprovalOwn        = "approval_own_request"
	CodeApprovalRelated    = "approval_related"
	CodeApprovalTwice      = "approval_counted"
	CodeApprovalNotAllowed = "approval_not_allowed"
	CodeApprovalNotYours   = "approval_not_yours"
	CodeApprovalAssertion  = "approval_assertion_required"

	// KindForbidden: what old plugins ask for through /channel_self.

	CodeCannotOverride = "cannot_override"
	CodeSelfSetPublic  = "public_channel_self_set_not_allowed"
	CodeSelfSet        = "channel_self_set_not_allowed"
)
