// Package scans keeps what scans of bundles found: it takes reports that
// publishers' machines made, scans again what the server can read, and keeps the
// suppressions of findings.
//
// It must never trust a report for another bundle than it was made of, scan more
// than one bundle at a time, or let a hostile bundle take more than bounded time
// and memory. What the findings mean is decided elsewhere.
package scans
