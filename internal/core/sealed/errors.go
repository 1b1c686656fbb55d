package sealed

import "github.com/waxwing-ota/waxwing/internal/core/ota"

// Codes of what is wrong with a document. Faults of its form have the codes of
// core/canon.
const (
	CodeDocument  = "sealed_document_invalid" // a field has no meaning, see Field
	CodeType      = "sealed_type_wrong"       // it is a document of another kind
	CodeTooLarge  = "sealed_document_too_large"
	CodeEnvelope  = "sealed_envelope_invalid"  // its signatures are not a list of distinct signatures
	CodeSignature = "sealed_signature_missing" // fewer valid signatures of trusted keys than needed
	CodePath      = "sealed_path_invalid"      // a path that not every device can store
)

func invalid(doc, field, format string, a ...any) *ota.Error {
	return ota.Invalid(CodeDocument, "in the "+doc+", "+field+" "+format, a...).
		WithField(field).
		WithHint("make the document anew with the current program; sealed documents are never corrected by hand")
}
