package auditlog

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"unicode/utf8"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// RecordVersion is the version of the canonical record.
const RecordVersion = 1

// The most bytes a field has in a record, as written there. A longer one, or one
// that is no UTF-8, is written as its length and SHA-256, so that every record
// fits an entry bundle (65,535 bytes).
const (
	maxName = 1 << 10 // everything else
	maxText = 16 << 10
)

const hexDigits = "0123456789abcdef"

// Record returns the canonical bytes of a change: one JSON object as RFC 8785
// writes it. Two different changes never have the same.
func Record(c ota.Change) []byte {
	b := make([]byte, 0, 256+len(c.Detail)+len(c.Before)+len(c.After))
	b = field(b, `{"action":`, c.Action, maxName)
	b = field(b, `,"actor":`, string(c.Actor), maxName)
	b = field(b, `,"after":`, c.After, maxText)
	b = field(b, `,"app":`, c.App, maxName)
	b = strconv.AppendInt(append(b, `,"at":`...), c.At, 10)
	b = field(b, `,"before":`, c.Before, maxText)
	b = field(b, `,"detail":`, c.Detail, maxText)
	b = strconv.AppendInt(append(b, `,"id":`...), c.ID, 10)
	b = field(b, `,"object":`, c.Object, maxName)
	b = field(b, `,"org":`, c.Org, maxName)
	b = field(b, `,"request_id":`, c.RequestID, maxName)
	b = strconv.AppendInt(append(b, `,"v":`...), RecordVersion, 10)
	return append(b, '}')
}

// LeafHash returns the hash of a change in the tree (RFC 6962, section 2.1).
func LeafHash(c ota.Change) tlog.Hash { return tlog.RecordHash(Record(c)) }

func field(b []byte, name, s string, limit int) []byte {
	b = append(b, name...)
	at := len(b)
	if len(s) <= limit && utf8.ValidString(s) {
		if b = quote(b, s); len(b)-at <= limit {
			return b
		}
	}
	sum := sha256.Sum256([]byte(s))
	return digestField(b[:at], sum, int64(len(s)))
}

func digestField(b []byte, sum [sha256.Size]byte, size int64) []byte {
	b = hex.AppendEncode(append(b, `{"sha256":"`...), sum[:])
	b = strconv.AppendInt(append(b, `","size":`...), size, 10)
	return append(b, '}')
}

// quote writes a JSON string and escapes only what must be.
func quote(b []byte, s string) []byte {
	b = append(b, '"')
	for i := range len(s) {
		switch c := s[i]; c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\b':
			b = append(b, `\b`...)
		case '\f':
			b = append(b, `\f`...)
		case '\n':
			b = append(b, `\n`...)
		case '\r':
			b = append(b, `\r`...)
		case '\t':
			b = append(b, `\t`...)
		default:
			if c < ' ' {
				b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
			} else {
				b = append(b, c)
			}
		}
	}
	return append(b, '"')
}

// Long is a field of a record that was too long for its text.
type Long struct {
	Field  string
	Digest ota.Digest
	Size   int64
}

// text reads either form of a field.
type text struct {
	s    string
	long *Long
}

// UnmarshalJSON implements [json.Unmarshaler].
func (t *text) UnmarshalJSON(b []byte) error {
	if len(b) == 0 || b[0] != '{' {
		return json.Unmarshal(b, &t.s)
	}
	var d struct {
		SHA256 ota.Digest `json:"sha256"`
		Size   int64      `json:"size"`
	}
	t.long = &Long{}
	err := json.Unmarshal(b, &d)
	t.long.Digest, t.long.Size = d.SHA256, d.Size
	return err
}

type record struct {
	Action    text  `json:"action"`
	Actor     text  `json:"actor"`
	After     text  `json:"after"`
	App       text  `json:"app"`
	At        int64 `json:"at"`
	Before    text  `json:"before"`
	Detail    text  `json:"detail"`
	ID        int64 `json:"id"`
	Object    text  `json:"object"`
	Org       text  `json:"org"`
	RequestID text  `json:"request_id"`
	V         int   `json:"v"`
}

// ParseRecord reads a record and refuses every byte sequence that [Record]
// would not write. Fields in long are empty in the change: the record has only
// their digests.
func ParseRecord(b []byte) (c ota.Change, long []Long, err error) {
	var r record
	bad := func(why string) *ota.Error {
		return ota.Invalid("record_invalid", "this is not a record of the audit log: %s", why)
	}
	if err := json.Unmarshal(b, &r); err != nil {
		return c, nil, bad("it is no JSON of that form").WithCause(err)
	}
	if r.V != RecordVersion {
		return c, nil, bad("its version is " + strconv.Itoa(r.V))
	}
	c = ota.Change{
		ID: r.ID, At: r.At, Actor: ota.Actor(r.Actor.s), Action: r.Action.s, App: r.App.s, Object: r.Object.s, Detail: r.Detail.s,
		Org: r.Org.s, Before: r.Before.s, After: r.After.s, RequestID: r.RequestID.s,
	}
	if !bytes.Equal(r.canonical(&long), b) {
		return ota.Change{}, nil, bad("it is not in canonical form")
	}
	return c, long, nil
}

// canonical writes the record again and collects its long fields.
func (r *record) canonical(long *[]Long) []byte {
	var b []byte
	put := func(head, name string, t text, limit int) {
		b = append(b, head+`"`+name+`":`...)
		if t.long == nil {
			b = field(b, "", t.s, limit)
			return
		}
		t.long.Field = name
		*long = append(*long, *t.long)
		b = digestField(b, t.long.Digest, t.long.Size)
	}
	put("{", "action", r.Action, maxName)
	put(",", "actor", r.Actor, maxName)
	put(",", "after", r.After, maxText)
	put(",", "app", r.App, maxName)
	b = strconv.AppendInt(append(b, `,"at":`...), r.At, 10)
	put(",", "before", r.Before, maxText)
	put(",", "detail", r.Detail, maxText)
	b = strconv.AppendInt(append(b, `,"id":`...), r.ID, 10)
	put(",", "object", r.Object, maxName)
	put(",", "org", r.Org, maxName)
	put(",", "request_id", r.RequestID, maxName)
	return append(strconv.AppendInt(append(b, `,"v":`...), int64(r.V), 10), '}')
}
