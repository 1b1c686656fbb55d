// Package insight is what people look at: what devices run, how versions fare,
// whom an act would reach, what needs attention. Everything comes from counts
// that storage keeps, so that a look costs the same with a million devices.
//
// It must never change anything, and never count more rows than a fixed bound.
package insight
