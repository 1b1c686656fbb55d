// Package lifecycle decides which sealed bundle runs: what is made ready, when it
// is switched to, what happens when its page never says that it works, and what
// is left when files on the disk changed. The device in Go and the simulator run
// the same rules.
//
// Every method is a step: it returns the state after it, and what to do. The
// state must be durable before anything is done, so that a device that is killed
// anywhere between finds itself in a state that some step returned. The state
// holds the counters of core/sealed/admit as well: one durable write moves both,
// so no bundle is ever switched to whose floor could be forgotten.
//
// It must never do I/O or read a clock, activate anything but an admit.Verified
// or a bundle that was one, run a bundle below the floor, or go back to the
// built-in bundle on anybody's word but a director's or the user's new native app.
package lifecycle
