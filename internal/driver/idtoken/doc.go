// Package idtoken checks the signatures of ID tokens of CI systems with the
// keys that their issuers publish.
//
// It must never contact an issuer that it was not handed by name, never follow
// a redirect, never take an algorithm that is not listed, and never judge what
// a token says: that is for the plane.
package idtoken
