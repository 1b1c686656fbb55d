// Package hll counts distinct things that are told apart by a hash: exactly
// while they are few ([MaxExact]), by HyperLogLog beyond, with a standard error
// of 1.6 percent. Sets can be merged: the set of an hour is the union of those of
// its minutes, and it does not matter in which order things came, how often, or
// how they were split over sets.
//
// It must never hash by itself: whoever can choose what is hashed could choose
// what is counted, so the caller hashes with a key that outsiders do not know.
package hll
