package ota

// AuditEntry is one entry of the audit log: a change and its place in the log.
// Once its text is past retention only Leaf, Hash, At and Action are there.
type AuditEntry struct {
	Leaf int64  `json:"leaf"` // position in the log, from 0
	Hash Digest `json:"hash"` // the leaf hash (RFC 6962) that the log holds
	Kept bool   `json:"kept"` // false = the text is past retention
	Change
}

// AuditFilter selects entries of the audit log; empty fields select all.
type AuditFilter struct {
	Actor  string
	Action string // exactly, or all of a noun: "release."
	App    string
	Org    string
	Object string
	Since  int64 // Unix ms, inclusive; 0 = from the first
	Until  int64 // Unix ms, exclusive; 0 = to the last
}

// AuditKey says who signs the checkpoints of a log.
type AuditKey struct {
	Origin string `json:"origin"` // name of the log
	Key    string `json:"key"`    // verifier key: NAME+HASH+BASE64
}

// AuditCheckpoint is a signed statement of how long the log is and what it holds.
type AuditCheckpoint struct {
	Size int64  `json:"size"` // entries
	Root Digest `json:"root"`
	Note string `json:"note"` // the signed note itself
}

// AuditProof shows that an entry is in the log of a checkpoint.
type AuditProof struct {
	Leaf       int64           `json:"leaf"`
	Hash       Digest          `json:"hash"`
	Proof      []Digest        `json:"proof"` // from the leaf upwards
	Checkpoint AuditCheckpoint `json:"checkpoint"`
}

// AuditConsistency shows that a log of one size is the beginning of a longer one.
type AuditConsistency struct {
	From     int64    `json:"from"`
	To       int64    `json:"to"`
	FromRoot Digest   `json:"from_root"`
	ToRoot   Digest   `json:"to_root"`
	Proof    []Digest `json:"proof"`
}
