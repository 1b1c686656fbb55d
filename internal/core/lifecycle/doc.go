// Package lifecycle decides what becomes of the bundles of one installed app:
// which one runs, which is applied next, what happens when the page confirms it
// or never does, and what is reported of each step. It is the state machine of
// the update plugin without its disk and its network, so that the device in Go
// and the fleet simulator run the very same rules.
//
// It must never do I/O, read a clock or draw random numbers, and never know what
// a bundle holds: its caller keeps the bundles and says in which state they are.
package lifecycle
