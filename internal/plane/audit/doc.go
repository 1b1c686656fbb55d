// Package audit answers from the audit log: entries, proofs, checkpoints, tiles
// and exports; and it takes the text of entries that are past retention.
//
// It must never add an entry of its own making (those come from changes, in
// their transaction), sign a root that the stored hashes do not have, or change
// a hash.
package audit
