package ota

import "encoding/json"

// LogEntry is an entry of the log of sealed updates.
type LogEntry struct {
	Leaf     int64        `json:"leaf"` // position in the log, from 0
	Kind     string       `json:"kind"`
	Digest   Digest       `json:"digest"` // of the document, as the log has it
	At       int64        `json:"at"`
	Document *LogDocument `json:"document"` // what a salted digest is of; nil = not kept here
}

// LogDocument is what the salted digest of an entry is of.
type LogDocument struct {
	App  string `json:"app"`
	What string `json:"what"` // channel, cohort, device, approval, ...
	Name string `json:"name"`
	Salt string `json:"salt"` // 32 hex digits; the digest is SHA-256(salt, then text)
	Text string `json:"text"`
}

// LogFilter selects entries of the log; empty fields select all.
type LogFilter struct {
	Kind string
	App  string
	What string
	Name string
}

// LogKeys says who signs the checkpoints of the log of sealed updates.
type LogKeys struct {
	Origin  string          `json:"origin"`  // name of the log
	Ed25519 string          `json:"ed25519"` // verifier key: NAME+HASH+BASE64
	P256    string          `json:"p256"`    // verifier key: NAME+HASH+BASE64
	Trust   json.RawMessage `json:"trust"`   // the same as the "log" of trust.json
}

// LogProof shows that an entry is in the log of the newest checkpoint.
type LogProof struct {
	Leaf        int64    `json:"leaf"`
	Proof       string   `json:"proof"`       // C2SP tlog-proof
	Consistency []Digest `json:"consistency"` // from the size that was asked from
}
