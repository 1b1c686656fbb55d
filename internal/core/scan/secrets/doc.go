// Package secrets finds keys and tokens in text: a keyword, near it a regular
// expression, then entropy, stop words and the format's own checksum.
//
// It must never keep, log or return a secret beyond its place in the text.
package secrets
