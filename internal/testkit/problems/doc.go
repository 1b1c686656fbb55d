// Package problems lists every error code of the program, read from its source,
// in api/problems.md, and holds in its test that the list is true.
//
// It must never be imported: its test is all there is to it.
package problems
