// Package snap holds in memory what device checks are answered from: for every
// app an immutable [decide.App], swapped whole when something changed.
//
// Readers take no lock and never wait. The package must never read a database
// itself (it is handed a [Source]), must never decide, and must never change a
// snapshot that it has published.
package snap
