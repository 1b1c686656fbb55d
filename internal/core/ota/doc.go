// Package ota holds the nouns of the product: apps, keys, bundles, channels,
// releases, devices and events, and the one error type that crosses layers.
//
// It must never do I/O, read a clock, or know a wire format.
//
// Times are Unix milliseconds (int64) everywhere; zero means "not set".
package ota
