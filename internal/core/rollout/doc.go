// Package rollout is the state machine of plans: from a plan, where it is, what
// is known and the time it says what comes next. [Advance] takes one step at a
// time, so that a look that comes late does not skip a soak.
//
// It must never lower a share, go on while a rollout is paused or off, read a
// clock, or keep anything: everything there is to remember is in
// [ota.RolloutProgress], so a restart changes nothing.
package rollout
