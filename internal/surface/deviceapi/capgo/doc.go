// Package capgo speaks the wire of @capgo/capacitor-updater 5 to 8 and
// @capgo/electron-updater: update checks, events, channels and downloads. What
// it answers, and where and why that differs from the reference server, is in
// docs/protocol.md.
//
// It must never decide who gets what (package decide does), wait for a database
// in an update check, or answer 5xx to shed load: the plugins come back every
// second on that.
package capgo
