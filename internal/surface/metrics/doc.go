// Package metrics shows what the server counts at /metrics, in the text format
// that Prometheus and its likes read.
//
// It asks for all of it at once ([Facts]) and remembers the answer for a moment,
// so that however often it is scraped costs the same. How many series there are is
// bounded: the first apps by name have their own, the others are "other"; a
// label never holds what a device said.
//
// It must never be in the way of a device, nor answer whom it was not told to.
package metrics
