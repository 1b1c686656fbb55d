// Package tuf is The Update Framework 1.0.34 as Waxwing uses it: the documents,
// the workflow of a client, and the writing of a repository.
//
// A [Client] is a state machine. It is given documents in the order of the
// workflow (roots, timestamp, snapshot, targets, delegated targets) with the time,
// refuses whatever is not signed, fresh and newer than what it knows, and says
// what a target file must be. A refused document changes nothing.
//
// Two readings of documents exist. The strict one ([Start], [Resume]) is the wire
// of devices: canonical JSON, P-256, every field, nothing else. The foreign one
// ([StartForeign]) reads repositories that others made, and serves tests and the
// conformance suite only.
//
// It must never do I/O, read a clock, use a document before its signatures and
// bounds are checked, count a key twice, or let a delegated role speak for a path
// that was not delegated to it.
package tuf

// SpecVersion is the version of the specification that documents name.
const SpecVersion = "1.0.34"

// The names of the top-level roles, which are also the types of documents.
// Delegated targets have the type RoleTargets.
const (
	RoleRoot      = "root"
	RoleTimestamp = "timestamp"
	RoleSnapshot  = "snapshot"
	RoleTargets   = "targets"
)

// The names that Waxwing's repositories have in common.
const (
	RoleStaging    = "staging"          // delegated to CI
	StagingPaths   = "staging/*/*"      // what it may sign: * does not match a slash
	TrustPath      = "trust/trust.json" // the target with the keys of all else
	productionPart = "production"
	stagingPart    = "staging"
	manifestSuffix = ".manifest"
)

// The bounds of the strict reading, in bytes and pieces.
const (
	MaxRoot        = 64 << 10 // bytes of root.json
	MaxTimestamp   = 16 << 10 // bytes of timestamp.json
	MaxDocument    = 1 << 20  // bytes of any other document; its parent's length bounds it too
	MaxRootSteps   = 64       // roots that one client takes in; then the next run goes on
	MaxSignatures  = 16       // signatures of a document
	MaxKeys        = 32       // keys that a document lists
	MaxRoleKeys    = 16       // keys of a role
	MaxDelegations = 8        // delegated roles
	MaxPatterns    = 16       // path patterns of a delegated role
	MaxPath        = 512      // bytes of a target path
	MaxTarget      = 4 << 20  // bytes of a target file
)

// The codes of what is refused.
const (
	CodeDocument  = "tuf_document_invalid"    // a document breaks a rule of its kind
	CodeTooLong   = "tuf_document_too_long"   // more bytes than are allowed here
	CodeSignature = "tuf_threshold_not_met"   // not signed by enough of the role's keys
	CodeVersion   = "tuf_version_wrong"       // not the version that must come here
	CodeRollback  = "tuf_rollback"            // older than what was seen before
	CodeExpired   = "tuf_expired"             // no longer valid
	CodeHash      = "tuf_hash_mismatch"       // not the bytes that the parent names
	CodeOrder     = "tuf_parent_missing"      // what it depends on is not there or not current
	CodeRole      = "tuf_role_unknown"        // nobody delegates to that role
	CodeSteps     = "tuf_root_steps_exceeded" // go on in the next run
	CodeTarget    = "tuf_target_unknown"      // no trusted role lists the path
	CodeMissing   = "tuf_role_missing"        // the role that may list the path was not given
	CodeState     = "tuf_state_invalid"       // what was stored cannot be used
	CodeKeys      = "tuf_keys_invalid"        // keys or thresholds that no repository may have
	CodeDraft     = "tuf_draft_invalid"       // a document to be signed that nobody may sign
)
