// Package monitor watches a log of sealed updates from outside: it reads every
// entry, recomputes the root, checks who signed, and remembers what it saw, so
// that a log that forks, shrinks, stalls or holds what nobody expects is noticed.
//
// It must never trust what the log's server says without a signature, never go on
// from a log that contradicts what it kept, and never let a server decide how
// much is read.
package monitor
