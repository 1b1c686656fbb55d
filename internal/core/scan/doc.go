// Package scan reads a web bundle and tells what in it breaks the stores' rules,
// weakens the web view, or gives a secret away.
//
// [Run] takes files and options and returns a [Report]. The rules are data, in
// the folder rules; what finds a rule's signal is code, one table in detect.go.
// What a file is, is decided by its bytes first. Scripts, pages and style sheets
// are parsed; what does not parse is reported (ST-900) and searched as text.
//
// The report names risks. It is not legal advice, and an empty one is no proof.
//
// It must never execute what it reads, ask the network, read a file by itself,
// or let one file stop the scan: whatever goes wrong in a file is a finding.
package scan
