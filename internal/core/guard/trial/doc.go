// Package trial tries the guard out: it draws devices from made-up fleets with
// a seed and tells how often the guard halts without cause, and how fast it
// finds a bad release. The same seed gives the same figures.
//
// It must never be part of a decision about real devices.
package trial
