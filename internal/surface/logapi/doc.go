// Package logapi serves the audit log below /log/ in the form of C2SP tlog-tiles:
// /log/checkpoint, /log/tile/<L>/<N>[.p/<W>] and /log/tile/entries/<N>[.p/<W>],
// for auditors' own tools.
//
// It must never serve an entry to somebody who may not read the audit log:
// entries name people. Hashes and checkpoints name nobody.
package logapi
