// Package errtrack tracks the errors that devices report: which group a report
// belongs to, what people decide about a group, and the source maps that turn
// stacks of minified scripts into positions in the sources.
//
// Source maps are private documents of a bundle: they are stored as blobs that
// no bundle lists, so no device can be given one. They are read when an error is
// grouped or shown, kept in bounded memory, and may be hostile.
//
// The package must never make a device wait for more than the time its caller
// gives it, and never show a map to anybody but callers of the API.
package errtrack
