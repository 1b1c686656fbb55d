// Package demo plays the main story of the product against a server: an app
// and its key, a version that works, a fleet of simulated devices that install
// it, a version that fails on them, and the server that takes it back.
//
// It must never claim what it did not see: each step checks its own outcome, on
// the devices and through the admin API, and the story ends at the first step
// that does not hold.
package demo
