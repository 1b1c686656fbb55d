// Package canon is the one JSON that signed documents are written in. A document
// has exactly one encoding, so its hash names it and a signature over its bytes
// is a signature over its meaning.
//
// The form is OLPC canonical JSON, as The Update Framework uses it, narrowed:
//
//   - objects, arrays, strings, booleans and integers from 0 to 2^53-1; no null,
//     no fractions, no negative numbers;
//   - keys of ASCII letters, digits and _ . : / -, sorted by bytes, each once;
//   - no white space, at most 16 levels deep;
//   - strings are valid UTF-8; only ", \ and the newline are escaped (as \", \\
//     and \n), every other control character is refused.
//
// The newline is the one place where two forms exist: OLPC writes it raw, which
// is no JSON. What travels has \n, what TUF signs has the raw byte; [Signing]
// turns the first into the second. Keys in PEM are the only strings of our
// documents that have newlines.
//
// It must never accept two encodings of one document, guess at a missing field,
// or skip one that it does not know: what is read is what was signed.
package canon

// The bounds of every document.
const (
	MaxDepth = 16        // levels of objects and arrays
	MaxInt   = 1<<53 - 1 // what every language reads exactly
	MaxKey   = 512       // bytes of a key of an object
)

// The codes of what is refused.
const (
	CodeTooLong      = "canonical_too_long"
	CodeSyntax       = "canonical_syntax"
	CodeNotCanonical = "canonical_form"
	CodeDuplicate    = "canonical_duplicate"
	CodeUnknown      = "canonical_unknown_field"
	CodeMissing      = "canonical_missing_field"
	CodeType         = "canonical_type"
	CodeDepth        = "canonical_depth"
	CodeString       = "canonical_string"
	CodeNumber       = "canonical_number"
	CodeKey          = "canonical_key"
	CodeUnencodable  = "canonical_unencodable"
)
