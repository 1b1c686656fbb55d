// Package guard judges whether a release that is being rolled out is so bad
// that it must be taken back without a person: [Judge] is a pure function of a
// channel's rule and of how many devices took the release and failed on it.
//
// It must never count (its caller hands it distinct devices), act, read a
// clock or do I/O.
package guard
