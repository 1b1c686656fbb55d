// Package authz decides whether a caller may do an action to a resource, and
// says why. The rules are the Cedar policies in the folder policies, which
// operators are meant to read.
//
// It must never allow what no policy permits: whatever it does not know, an
// action, an app or a channel, is refused. It writes nothing and asks nobody but
// Places.
package authz
