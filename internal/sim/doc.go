// Package sim is a fleet of virtual devices on a virtual clock. It runs the
// code that real fleets meet (decisions on a real snapshot, the state machine
// of a device, outcomes, guards and plans) under an assumed behaviour of people
// and networks, and says what became of a release: how fast it was adopted,
// what failed and why, when a bad one was stopped and who had it by then.
// [Run] is that; [Drive] sends devices of the Go library against a running
// server instead.
//
// Run must never read a clock, the network or the disk, nor draw a random
// number that the seed does not give: the same scenario and seed always make the
// same report, byte for byte. No rate in it was measured; the scenarios say
// what is assumed.
package sim
