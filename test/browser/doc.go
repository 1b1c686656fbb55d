// Package browser tests the console as people see it: in Chromium, on a server
// with a story behind it.
package browser
