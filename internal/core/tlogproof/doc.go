// Package tlogproof is what a device checks of the log of sealed updates: that a
// document is in it (C2SP tlog-proof), that the log's keys and enough witnesses
// signed the checkpoint, and that the log goes on from the checkpoint that the
// device kept.
//
// It must never read a clock, a file or a network, and never let a log be
// exchanged for another, shortened or forked one.
package tlogproof
