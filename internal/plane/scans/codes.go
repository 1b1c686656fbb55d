package scans

// The stable codes of errors of this package.
const (
	CodeReportNotFound      = "scan_report_not_found" // KindNotFound
	CodeSuppressionNotFound = "suppression_not_found" // KindNotFound

	CodeUnreadable        = "scan_unreadable"    // KindConflict: the server cannot read the bundle
	CodeSuppressionClosed = "suppression_closed" // KindConflict
	CodeSuppressionsFull  = "suppressions_full"  // KindConflict

	CodeReportInvalid      = "scan_report_invalid"      // KindInvalid
	CodeReportOther        = "scan_report_other_bundle" // KindInvalid: it is of other files
	CodeReportSignature    = "scan_signature_wrong"     // KindInvalid
	CodeSuppressionInvalid = "suppression_invalid"      // KindInvalid

	CodeSuppressionOwn = "suppression_own_request" // KindForbidden
)
