// Package browser drives Debian's Chromium in tests: pages, forms, a virtual
// authenticator, what the page complained of, axe-core, and screenshots.
//
// It must never be used outside of tests, and never reach anything but the
// server under test.
package browser
