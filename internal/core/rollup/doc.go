// Package rollup turns what devices report into sums per minute, hour and day:
// a batch of events becomes a [Delta], which storage adds to what it has. All of
// it is a function of the set of events that were stored, so that order, cuts and
// repetition of deliveries do not matter, and counting the raw events anew gives
// the same.
//
// Time is when this server got a report: the clocks of devices are not trusted
// with where a number goes, only with how long something took, within bounds.
//
// It must never do I/O, read a clock, or let what a device claims decide how many
// rows there are ([Names]).
package rollup
