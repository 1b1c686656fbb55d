// Package scanpolicy decides what the findings of a bundle mean for a channel:
// which of them count, and whether the bundle may go on it.
//
// It must never look at the content of a bundle, or let a suppression count that
// nobody approved or that expired.
package scanpolicy
