package admitvectors

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/canon"
	"github.com/waxwing-ota/waxwing/internal/core/cobblestone"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
	"github.com/waxwing-ota/waxwing/internal/core/sealed/admit"
)

// File is one file of vectors.
type File struct {
	About string            `json:"about"`
	Cases []Case            `json:"cases"`
	Pool  map[string]string `json:"pool"` // texts by name; a string in a case that is such a name stands for the text
}

// Case is one answer that a device in a state gets.
type Case struct {
	Name       string            `json:"name"`
	Build      Build             `json:"build"`
	State      any               `json:"state"`
	Now        canon.Time        `json:"now"`
	Request    string            `json:"request"` // base64 of the body
	Thumbprint string            `json:"thumbprint"`
	Answer     any               `json:"answer,omitempty"` // its canonical form is the body
	Raw        string            `json:"raw,omitempty"`    // base64 of the body, where it is none
	Key        string            `json:"key"`              // of the epoch, in hex
	Blobs      map[string]string `json:"blobs"`            // base64 by address
	Extra      []string          `json:"extra"`            // files that are there besides
	Expect     Outcome           `json:"expect"`
}

// Build is admit.Build.
type Build struct {
	App      string     `json:"app"`
	Platform string     `json:"platform"`
	Version  string     `json:"version"`
	MinClass string     `json:"min_class"`
	Root     string     `json:"root"` // base64
	Floor    int64      `json:"floor"`
	Made     canon.Time `json:"made"`
}

// Outcome is what was decided.
type Outcome struct {
	Code   string `json:"code"`   // of a refusal; "" = none
	Action string `json:"action"` // "" with a refusal
	Seq    int64  `json:"seq"`    // of the bundle that was admitted; 0 = none
	Tree   string `json:"tree"`
	State  string `json:"state"` // SHA-256 of the state to keep
}

// Scene is a case before it is written.
type Scene struct {
	Name   string
	State  admit.State
	In     admit.Input
	Raw    []byte // instead of the answer, if it is no answer
	Key    cobblestone.Key
	Blobs  map[string][]byte
	Extra  []string
	Expect string // the code that must come out; "" = none
}

// Add writes a scene into the file, with what this program says of it.
func (f *File) Add(s Scene) error {
	state, err := s.State.Encode()
	if err != nil {
		return err
	}
	b := s.In.Build
	c := Case{
		Name:  s.Name,
		Build: Build{b.App, b.Platform, b.Version, b.MinClass, f.pooled(b.Root), b.Floor, canon.At(b.Made)},
		State: f.packed(state), Now: canon.At(s.In.Now), Request: f.pooled(s.In.Request), Thumbprint: s.In.Thumbprint,
		Key: hex.EncodeToString(s.Key.Reveal()), Blobs: map[string]string{}, Extra: s.Extra,
	}
	if c.Extra == nil {
		c.Extra = []string{}
	}
	if s.Raw != nil {
		c.Raw = f.pooled(s.Raw)
	} else {
		answer, err := canon.Encode(s.In.Answer)
		if err != nil {
			return err
		}
		c.Answer = f.packed(answer)
	}
	for address, blob := range s.Blobs {
		c.Blobs[address] = f.pooled(blob)
	}
	if c.Expect, err = f.Run(c); err != nil {
		return fmt.Errorf("%s: %w", s.Name, err)
	}
	f.Cases = append(f.Cases, c)
	return nil
}

// packed is a canonical document with its long texts in the pool.
func (f *File) packed(doc []byte) any {
	var v any
	if json.Unmarshal(doc, &v) != nil {
		return nil
	}
	return f.pack(v)
}

func (f *File) pack(v any) any {
	switch v := v.(type) {
	case string:
		if len(v) > 80 {
			return f.name(v)
		}
	case []any:
		for i := range v {
			v[i] = f.pack(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = f.pack(v[k])
		}
	}
	return v
}

func (f *File) pooled(b []byte) string { return f.name(base64.StdEncoding.EncodeToString(b)) }

func (f *File) name(text string) string {
	if f.Pool == nil {
		f.Pool = map[string]string{}
	}
	id := "#" + sealed.HashOf([]byte(text))[:16]
	f.Pool[id] = text
	return id
}

// text is the canonical form of a packed document.
func (f *File) text(v any) ([]byte, error) { return canon.Encode(f.unpack(v)) }

func (f *File) unpack(v any) any {
	switch v := v.(type) {
	case string:
		if strings.HasPrefix(v, "#") {
			return f.Pool[v]
		}
	case float64:
		return int64(v)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = f.unpack(v[i])
		}
		return out
	case map[string]any:
		out := map[string]any{}
		for k := range v {
			out[k] = f.unpack(v[k])
		}
		return out
	}
	return v
}

func (f *File) bytes(name string) []byte {
	b, err := base64.StdEncoding.DecodeString(f.Pool[name])
	if err != nil {
		return nil
	}
	return b
}

// Run is what this program says of a case.
func (f *File) Run(c Case) (Outcome, error) {
	raw, err := f.text(c.State)
	if err != nil {
		return Outcome{}, err
	}
	state, err := admit.DecodeState(raw)
	if err != nil {
		return Outcome{Code: ota.CodeOf(err)}, nil
	}
	in := admit.Input{
		Build: admit.Build{
			App: c.Build.App, Platform: c.Build.Platform, Version: c.Build.Version, MinClass: c.Build.MinClass,
			Root: f.bytes(c.Build.Root), Floor: c.Build.Floor, Made: c.Build.Made.Time,
		},
		Now: c.Now.Time, Request: f.bytes(c.Request), Thumbprint: c.Thumbprint,
	}
	body := f.bytes(c.Raw)
	if c.Raw == "" {
		if body, err = f.text(c.Answer); err != nil {
			return Outcome{}, err
		}
	}
	if in.Answer, err = sealed.ParseAnswer(body); err != nil {
		next, stateErr := hashState(state)
		return Outcome{Code: ota.CodeOf(err), State: next}, stateErr
	}
	return f.decide(c, state, in)
}

func (f *File) decide(c Case, state admit.State, in admit.Input) (Outcome, error) {
	d, next, err := admit.Decide(state, in)
	out := Outcome{Code: codeOf(err), Action: d.Action}
	if err == nil && d.Plan != nil {
		var v admit.Verified
		v, next, err = admit.Admit(state, in, &source{f: f, c: c})
		out.Code, out.Seq, out.Tree = codeOf(err), v.Seq(), v.Tree()
	}
	if err != nil {
		out.Action = ""
	}
	var stateErr error
	out.State, stateErr = hashState(next)
	return out, stateErr
}

func codeOf(err error) string {
	if err == nil {
		return ""
	}
	return ota.CodeOf(err)
}

func hashState(s admit.State) (string, error) {
	b, err := s.Encode()
	return sealed.HashOf(b), err
}

type source struct {
	f    *File
	c    Case
	open []string
}

func (s *source) Key(m *sealed.Manifest) (cobblestone.Key, error) {
	if m.Encryption.Mode == sealed.EncryptionNone {
		return cobblestone.Key{}, nil
	}
	b, err := hex.DecodeString(s.c.Key)
	if err != nil {
		return cobblestone.Key{}, err
	}
	return cobblestone.KeyFrom(b)
}

func (s *source) Open(f sealed.File) (io.ReadSeeker, io.Writer, error) {
	s.open = append(s.open, f.Path)
	return bytes.NewReader(s.f.bytes(s.c.Blobs[f.Blob])), io.Discard, nil
}

func (s *source) Present() ([]string, error) { return append(slices.Clone(s.open), s.c.Extra...), nil }

// Encode writes the file: a case a line, and the texts sorted by name.
func (f *File) Encode() ([]byte, error) {
	var out bytes.Buffer
	write := func(prefix string, v any, suffix string) error {
		b, err := json.Marshal(v)
		out.WriteString(prefix)
		out.Write(b)
		out.WriteString(suffix)
		return err
	}
	end := func(i, n int) string {
		if i == n-1 {
			return "\n"
		}
		return ",\n"
	}
	if err := write("{\"about\":", f.About, ",\n\"cases\":[\n"); err != nil {
		return nil, err
	}
	for i, c := range f.Cases {
		if err := write("", c, end(i, len(f.Cases))); err != nil {
			return nil, err
		}
	}
	out.WriteString("],\n\"pool\":{\n")
	for i, k := range slices.Sorted(maps.Keys(f.Pool)) {
		if err := write(`"`+k+`":`, f.Pool[k], end(i, len(f.Pool))); err != nil {
			return nil, err
		}
	}
	out.WriteString("}}\n")
	return out.Bytes(), nil
}
