// Package alerts looks at every app all half a minute, holds what it finds
// against the app's rules (package alert) and tells receivers when one is broken
// and when it is well again.
//
// What it knows comes from counts that others keep, and from what it is handed
// ([Service.Observe], [Service.Switched]); it never reads events one by one.
// The state of every alert is stored, so a restart tells nothing twice. Telling
// is a record of a change, alert.fire or alert.resolve, in the same transaction
// as the state: package notify delivers it to webhooks and by mail.
//
// It must never make a device or its report wait, and never act on a release.
package alerts
