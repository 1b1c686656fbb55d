// Package trust publishes what sealed updates are trusted by, and answers the
// devices that ask for them.
//
// People sign root, targets, staging and trust.json elsewhere; the package takes
// a document only when it verifies under what is in force, and puts all that
// follows from it in force at once. It signs snapshot and timestamp itself, and
// the director's answers: which of the approved bundles a device is to have.
//
// It must never publish what lacks its threshold, never hold a key of the
// release, never read the database to answer a device, and never choose a bundle
// that signed metadata does not list, that the log does not prove, or that is
// below the floor.
package trust
