// Package admitvectors writes, reads and runs docs/sealed/vectors/admit-*.json:
// what every implementation of the device's side must decide, in which state it
// must be afterwards, and with which code it refuses. Its test writes them anew
// with -update; worlds have the same keys in every run, so they come out the same.
//
// It must never be part of a program.
package admitvectors
