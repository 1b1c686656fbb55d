// Package outcome says how far a device has come with one version, as one
// record that only ever grows: [Merge] is the join of a semilattice, so that
// reports which come twice, late or in another order end in the same record.
//
// It must never do I/O, read a clock, or count events: a device is in one
// state per version, however much it reports.
package outcome
