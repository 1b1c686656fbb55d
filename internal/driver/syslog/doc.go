// Package syslog sends the audit log on to a syslog server as it grows:
// RFC 5424 messages over UDP, TCP or TLS.
//
// It must never hold up a change: it reads what is stored, remembers how far it
// came, and waits for a server that is away. Syslog has no receipts, so what was
// under way when a connection broke may be lost or come twice; each message has
// the entry's number to see that by.
package syslog
