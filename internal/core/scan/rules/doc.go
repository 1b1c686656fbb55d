// Package rules holds what the scan checks as data: one table of rules per
// family, the formats of secrets, and the lists of names and hosts that the
// rules look for. Code that finds a rule's signal is elsewhere.
//
// It must never hold state: Load reads the embedded files anew.
package rules
