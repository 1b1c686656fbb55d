// Package incident is the rules of an emergency: which act may follow which,
// when enough devices are off a bad version, how long it all took, and how it
// reads afterwards.
//
// It must never do I/O, read a clock, or put what devices and people wrote into
// a report without escaping it.
package incident
