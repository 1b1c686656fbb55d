// Package logapi serves logs in the form of C2SP tlog-tiles: the audit log below
// /log/, the log of sealed updates below /sealed/log/. Each has checkpoint,
// tile/<L>/<N>[.p/<W>] and tile/entries/<N>[.p/<W>], for the tools of auditors and
// monitors.
//
// It must never serve an entry to somebody who may not read the audit log:
// entries of it name people. Hashes and checkpoints name nobody, nor does any
// entry of the log of sealed updates.
package logapi
