// Package trustdir is the working folder of those who hold the keys of an app's
// sealed updates: what is in force, the drafts of what shall be, and who has
// signed them. The folder travels between the machines of the holders; what it
// says is checked from its bytes each time it is read.
//
// It must never hold a private key, reach the network, take a draft whose
// foundation does not verify, or describe a draft by anything but the bytes that
// are signed.
package trustdir

import "github.com/waxwing-ota/waxwing/internal/core/ota"

// Codes of what is wrong with a folder or a draft.
const (
	CodeFolder  = "trust_folder"        // the folder is not one, or cannot be read or written
	CodeExists  = "trust_folder_exists" // there is one already
	CodeChain   = "trust_chain"         // what is in force does not verify
	CodeDraft   = "trust_draft"         // there is no draft, or it is not sound
	CodeKey     = "trust_key"           // a key is not in the role, or is there already
	CodeAnchor  = "trust_anchor"        // the chain begins with another root than before
	CodePending = "trust_incomplete"    // signatures are missing
)

func badDraft(format string, a ...any) *ota.Error {
	return ota.Invalid(CodeDraft, format, a...).
		WithHint("do not sign it; get the folder again from whoever made the draft, and compare its digest by voice")
}
