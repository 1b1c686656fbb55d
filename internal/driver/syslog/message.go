package syslog

import (
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/waxwing-ota/waxwing/internal/core/auditlog"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

const (
	// priority is facility 13 (log audit), severity 5 (notice).
	priority = 13*8 + 5
	// sdID names our structured data, under the number for documentation of
	// RFC 5612: there is no registered one.
	sdID = "audit@32473"
	// maxDatagram is what a UDP message may have, in bytes.
	maxDatagram = 60_000
	// maxParam bounds one value of the structured data, in bytes.
	maxParam = 1024
)

// message writes an entry as an RFC 5424 message: what it is about as structured
// data, and its canonical record as the text. Without text if that would make
// it longer than limit (0 = no limit).
func message(e ota.AuditEntry, host string, limit int) []byte {
	var b strings.Builder
	b.WriteString("<" + strconv.Itoa(priority) + ">1 ")
	b.WriteString(time.UnixMilli(e.At).UTC().Format("2006-01-02T15:04:05.000Z") + " ")
	b.WriteString(header(host, 255) + " waxwing - " + header(e.Action, 32) + " [" + sdID)
	for _, p := range []struct{ name, value string }{
		{"entry", strconv.FormatInt(e.ID, 10)},
		{"leaf", strconv.FormatInt(e.Leaf, 10)},
		{"actor", string(e.Actor)},
		{"action", e.Action},
		{"org", e.Org},
		{"app", e.App},
		{"object", e.Object},
		{"request", e.RequestID},
	} {
		if p.value != "" {
			b.WriteString(" " + p.name + `="` + param(p.value) + `"`)
		}
	}
	b.WriteByte(']')
	if !e.Kept {
		return []byte(b.String())
	}
	record := auditlog.Record(e.Change)
	if limit > 0 && b.Len()+len(record)+4 > limit {
		return []byte(b.String())
	}
	b.WriteString(" \ufeff") // a byte order mark says that the text is UTF-8
	b.Write(record)
	return []byte(b.String())
}

// header keeps what header fields may have: printable ASCII, "-" for nothing.
func header(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return -1
		}
		return r
	}, s)
	if s == "" {
		return "-"
	}
	return s[:min(len(s), limit)]
}

// param escapes a value of the structured data and takes control characters out.
func param(s string) string {
	s = strings.ToValidUTF8(s, "\ufffd")
	if len(s) > maxParam {
		s = strings.ToValidUTF8(s[:maxParam], "")
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '"' || r == '\\' || r == ']':
			b.WriteByte('\\')
			b.WriteRune(r)
		case unicode.IsControl(r):
			b.WriteByte(' ')
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
