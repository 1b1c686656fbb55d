package auditlog

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// ExportVersion is the version of the form of exports.
const ExportVersion = 1

// Header is the first line of an export: what its entries can be verified
// against. Before and After are the roots of the complete subtrees that cover
// the entries of the log that are not in the export.
type Header struct {
	Version    int          `json:"waxwing_audit_export"`
	Key        string       `json:"key"`        // verifier key of the log
	Checkpoint string       `json:"checkpoint"` // signed
	From       int64        `json:"from"`       // first leaf
	To         int64        `json:"to"`         // behind the last leaf
	Before     []ota.Digest `json:"before"`
	After      []ota.Digest `json:"after"`
}

// Line is one entry of an export. Change is nil once its text is past retention.
type Line struct {
	Leaf   int64       `json:"leaf"`
	Hash   ota.Digest  `json:"hash"`
	Change *ota.Change `json:"change,omitempty"`

	Missing bool `json:"missing,omitempty"` // the log has it, the database does not
}

// maxLine bounds a line of an export, in bytes.
const maxLine = 32 << 20

// ExportReader reads an export line by line. Every line must be there, in order,
// and nothing else.
type ExportReader struct {
	Header Header
	in     *bufio.Reader
	next   int64
}

func exportInvalid(format string, a ...any) *ota.Error {
	return ota.Invalid("export_invalid", "this is not a whole export of the audit log: "+format, a...)
}

// NewExportReader reads the header.
func NewExportReader(r io.Reader) (*ExportReader, error) {
	e := &ExportReader{in: bufio.NewReaderSize(r, 64<<10)}
	raw, err := e.line()
	if err != nil {
		return nil, err
	}
	if err := strictJSON(raw, &e.Header); err != nil {
		return nil, exportInvalid("its first line is no header").WithCause(err)
	}
	h := &e.Header
	if h.Version != ExportVersion {
		return nil, exportInvalid("its version is %d, this program knows %d", h.Version, ExportVersion)
	}
	if h.From < 0 || h.To < h.From || h.To >= 1<<56 || len(h.Before) > 64 || len(h.After) > 128 {
		return nil, exportInvalid("its header is out of bounds")
	}
	e.next = h.From
	return e, nil
}

// Next returns the next entry, or io.EOF behind the last one of the header.
func (e *ExportReader) Next() (Line, error) {
	var l Line
	if e.next == e.Header.To {
		if _, err := e.in.ReadByte(); !errors.Is(err, io.EOF) {
			return l, exportInvalid("something follows its last entry")
		}
		return l, io.EOF
	}
	raw, err := e.line()
	if err != nil {
		return l, err
	}
	if err := strictJSON(raw, &l); err != nil {
		return l, exportInvalid("the line of entry %d cannot be read", e.next).WithCause(err)
	}
	if l.Leaf != e.next {
		return l, exportInvalid("entry %d stands where entry %d belongs", l.Leaf, e.next)
	}
	e.next++
	return l, nil
}

// line reads one line that a line break ends.
func (e *ExportReader) line() ([]byte, error) {
	var out []byte
	for {
		part, err := e.in.ReadSlice('\n')
		if len(out)+len(part) > maxLine {
			return nil, exportInvalid("a line is longer than %d bytes", maxLine)
		}
		out = append(out, part...)
		switch {
		case err == nil:
			return out, nil
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return nil, exportInvalid("it ends early")
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		}
	}
}

func strictJSON(raw []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one value")
	}
	return nil
}

// WriteLine writes a header or an entry.
func WriteLine(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
