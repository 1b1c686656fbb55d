// Package incidents is the way through an emergency: declare it, see whom it
// reached, contain it in one act, take devices off the bad version, watch that
// to the end, and write down what happened.
//
// It must never change what devices get by itself: containing and recovering
// are acts of the control plane, in whose transactions the incident moves on.
package incidents
