// Package plans is the conductor of rollout plans: every few seconds it looks at
// the rollouts that have one and has control take the steps that are due, and it
// says where each is and how it concerns a device.
//
// It must never change anything itself, keep what a restart would lose, or let
// two of its looks overlap.
package plans
