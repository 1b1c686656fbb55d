// Package auditlog is the form of the audit log: the canonical record of a
// change, and exports that can be verified offline. The tree over the records
// and its checkpoints are those of package tilelog. Server and command line
// share it, so that what one writes the other checks.
//
// It must never read a clock, a file or a network, and never accept what it
// would not have written.
package auditlog
