// Package sealedlog keeps the log of sealed updates: it signs what writers added
// in their transactions, asks witnesses to cosign, proves entries, and serves
// tiles.
//
// It must never sign a checkpoint that does not continue every one it signed
// before, and never prove what it has not published.
package sealedlog
