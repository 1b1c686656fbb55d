// Package sealed holds the documents of sealed updates as they cross the wire:
// the manifest of a bundle, trust.json, the director's answer, the check of a
// device and what it is answered, certificates, grants and reports. Each has one
// Go type, one cap in bytes and one Check that says whether its fields mean
// anything; Parse and Encode are the only ways in and out. docs/sealed is the
// specification, field by field.
//
// What is parsed here is well formed and nothing more: whether a device may act
// on it is decided in core/sealed/admit alone.
//
// It must never do I/O, read a clock, draw random numbers, hold a private key,
// or accept a document in a form that Encode would not have written: two
// readings of one document are how verifiers are deceived.
package sealed
