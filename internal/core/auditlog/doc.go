// Package auditlog is the form of the audit log: the canonical record of a
// change, the Merkle tree over records (RFC 6962), signed checkpoints
// (C2SP tlog-checkpoint), tile addresses and entry bundles (C2SP tlog-tiles),
// and exports that can be verified offline. Server and command line share it,
// so that what one writes the other checks.
//
// It must never read a clock, a file or a network, and never accept what it
// would not have written.
package auditlog
