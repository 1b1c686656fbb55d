// Package interop drives the update plugins' own, unchanged client code against
// the real binary, to prove that what we serve is what they take.
//
// It holds tests only. They need WAXWING_REALCLIENT to name a built copy of the
// simulated devices and skip, saying so, without it.
package interop
