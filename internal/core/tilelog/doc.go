// Package tilelog is the form of our logs, whatever is in them: the Merkle tree
// (RFC 6962), signed checkpoints (C2SP tlog-checkpoint, signed-note and
// tlog-cosignature), tile addresses and entry bundles (C2SP tlog-tiles). Server,
// command line and devices share it, so that what one writes the other checks.
//
// It must never read a clock, a file or a network, and never accept what it
// would not have written.
package tilelog
