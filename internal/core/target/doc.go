// Package target is the small language that says whom a rollout is for:
//
//	platform == "ios" && native >= 1.4.0 && !emulator
//	cohort("staff") || custom_id in ["u-17", "u-23"]
//
// An expression is parsed and type-checked once, compiled when a snapshot is
// built, and then asked by every check of the channel without allocating.
//
// It must never do I/O, loop without a bound (length, depth and the cost with
// every cohort expanded are limited), or trust what it compares: devices say of
// themselves what they like, so a target decides who is offered something, never
// who may have it.
package target
