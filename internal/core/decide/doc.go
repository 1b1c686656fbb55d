// Package decide answers the one question of the data plane: which bundle does
// this device get now, and why. [Decide] is a pure function of an immutable
// [App] and a [Check]; the same pair always gives the same [Outcome].
//
// It must never do I/O, read a clock, take a lock, or know what an answer looks
// like on the wire.
//
// The order of the rules follows the reference server (shared server notes A.2,
// A.3 and B) with these deliberate differences: a version that failed on a
// device is not offered to it again; a rollout target that is not for a device
// leaves it with the stable release; buckets are deterministic and only grow; a
// device gets the variant for its own key or none; a minimum native version
// holds under every strategy; a bundle that needs native packages which the
// device's registered native version lacks is passed over.
package decide
