// Package admit is the one door through which an update comes onto a device. It
// is given what a server answered and what the device remembers, and decides.
//
// There are three steps. [Decide] admits documents: metadata, trust.json, the
// director's answer, the manifest and its place in the log. What comes out is a
// [Decision], and for an installation a [Plan]: which blobs to fetch under which
// caps. An [Intake] of the plan admits the blobs, one by one, streaming. Its
// Finish makes a [Verified], which is all that core/sealed/lifecycle activates.
// [Admit] is all three at once.
//
// Nothing else can make a Verified: its fields are not exported, and the zero
// value is refused wherever one is asked for.
//
// It must never do I/O of its own, read a clock, take the word of one document
// for what another has to say, or return a [State] that would accept something
// that the state before refused.
package admit
