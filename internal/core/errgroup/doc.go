// Package errgroup makes of what a device reports about an error a trace (type,
// message, frames of the stack) and of a trace the group it belongs to.
//
// It reads the stacks of V8 and JavaScriptCore, of Java and Kotlin, native frames
// of Android and crash texts of iOS. What makes equal errors look different is
// taken out: hosts, hashes in file names, queries, ids, numbers and, as long as
// no source map says what they mean, lines and columns. The app's own frames
// count before those of libraries.
//
// Whatever is in a report was written by a device and may be anything: reading
// takes time in proportion to its bounded length and never fails. The package
// must never keep state, look anything up, or trust a word of a report.
package errgroup
