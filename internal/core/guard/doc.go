// Package guard judges whether a release is so bad that it must be taken back
// without a person.
//
// [Judge] is the simple rule: a threshold on the failure rate of a release.
// [State] is the guard: sequential tests with a proven probability of a false
// halt however often they look, of which the first compares devices that were
// offered the release with devices of the same rollout that were held out. It
// is a function of its inputs in their order, to the last bit, on every
// machine: [Replay] computes a stored history again. docs/guard.md explains it.
//
// It must never count devices twice for its caller's sake ([State] drops
// repeated failures, exposures must be distinct), act, read a clock or do I/O.
package guard
