package sealed_test

import (
	"bytes"
	"context"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/canon"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
	"github.com/waxwing-ota/waxwing/internal/testkit/sealedworld"
)

func report() *sealed.Report {
	return &sealed.Report{App: app, Device: id, Thumbprint: hash, N: 1, At: day, Manifest: hash, Seq: 1, Event: sealed.EventHealthy}
}

func envelope(t testing.TB, doc any, signers ...p256.Signer) []byte {
	t.Helper()
	b, err := sealed.Make(context.Background(), doc, signers...)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestThresholds(t *testing.T) {
	w := sealedworld.New(t, app)
	a, b, c := w.Key(1), w.Key(2), w.Key(3)
	trusted := sealed.KeySet(a.Public(), b.Public())
	for _, tt := range []struct {
		name      string
		signers   []p256.Signer
		threshold int
		want      string
	}{
		{"one of one", []p256.Signer{a}, 1, ""},
		{"two of two", []p256.Signer{a, b}, 2, ""},
		{"a stranger besides", []p256.Signer{a, c}, 1, ""},
		{"one of two", []p256.Signer{a}, 2, sealed.CodeSignature},
		{"a stranger does not count", []p256.Signer{a, c}, 2, sealed.CodeSignature},
		{"a stranger only", []p256.Signer{c}, 1, sealed.CodeSignature},
		{"a threshold of nothing", []p256.Signer{a}, 0, sealed.CodeSignature},
	} {
		var got sealed.Report
		err := sealed.Open(envelope(t, report(), tt.signers...), sealed.MaxReport, trusted, tt.threshold, "report", &got)
		if tt.want == "" && (err != nil || got != *signed(report())) || tt.want != "" && ota.CodeOf(err) != tt.want {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func signed(r *sealed.Report) *sealed.Report { r.Type = r.Kind(); return r }

func TestEnvelopesAreRefused(t *testing.T) {
	w := sealedworld.New(t, app)
	good := envelope(t, report(), w.Key(1))
	var e sealed.Envelope
	if err := canon.Decode(good, 1<<20, &e); err != nil {
		t.Fatal(err)
	}
	keys := sealed.KeySet(w.Key(1).Public())
	sig := e.Signatures[0]
	open := func(e sealed.Envelope, keys map[string]p256.Key) error {
		b, err := canon.Encode(e)
		if err != nil {
			t.Fatal(err)
		}
		var got sealed.Report
		return sealed.Open(b, sealed.MaxReport, keys, 1, "report", &got)
	}
	for name, list := range map[string][]sealed.Signature{
		"none": {}, "twice": {sig, sig}, "a short id": {{KeyID: "ab", Sig: sig.Sig}}, "no signature": {{KeyID: sig.KeyID}},
		"trailing": {{KeyID: sig.KeyID, Sig: append(bytes.Clone(sig.Sig), 0)}},
	} {
		if err := open(sealed.Envelope{Signatures: list, Signed: e.Signed}, keys); err == nil {
			t.Errorf("signatures: %s: accepted", name)
		}
	}
	// A key counts under its own id only.
	other := w.Key(2).Public()
	if err := open(sealed.Envelope{Signatures: []sealed.Signature{{KeyID: other.ID(), Sig: sig.Sig}}, Signed: e.Signed}, map[string]p256.Key{other.ID(): w.Key(1).Public()}); err == nil {
		t.Error("a key under the id of another counted")
	}
	// What is signed as one thing is nothing else.
	var d sealed.Director
	if err := sealed.Open(good, sealed.MaxDirector, keys, 1, "director", &d); ota.CodeOf(err) != sealed.CodeType {
		t.Errorf("a report was taken for a director's answer: %v", err)
	}
	// Nor as the same thing of another shape.
	bad := envelope(t, map[string]any{"_type": "report", "app": app}, w.Key(1))
	var r sealed.Report
	if err := sealed.Open(bad, sealed.MaxReport, keys, 1, "report", &r); err == nil || r != (sealed.Report{}) {
		t.Errorf("half a report: %v", err)
	}
	for i, m := range sealedworld.Mutations(good) {
		if err := sealed.Open(m.Bytes, sealed.MaxReport, keys, 1, "report", &r); err == nil {
			t.Errorf("mutation %d: %s %s was accepted", i, m.Path, m.How)
		}
	}
}

func TestSelfSigned(t *testing.T) {
	w := sealedworld.New(t, app)
	for name, k := range kinds(t) {
		doc, ok := k.doc.(sealed.SelfSigned)
		if !ok {
			continue
		}
		if err := sealed.SignBody(context.Background(), doc, w.Key(1)); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := sealed.VerifyBody(doc, w.Key(1).Public()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if sealed.VerifyBody(doc, w.Key(2).Public()) == nil {
			t.Errorf("%s: anybody's signature will do", name)
		}
		b, err := sealed.Encode(doc)
		if err != nil {
			t.Fatal(err)
		}
		message, err := sealed.Message(doc)
		if err != nil || bytes.Contains(message, []byte(`"sig"`)) || len(b)-len(message) < 140 {
			t.Errorf("%s: what is signed is %s (%v)", name, message, err)
		}
	}
	c := &sealed.CheckRequest{
		V: 1, Nonce: bytes.Repeat([]byte{7}, 16), App: app, Device: id, Platform: "ios", Native: "1", Versions: sealed.Versions{Root: 1},
		CustomID: `"sig":"",`, Channel: `","sig":"`,
	}
	if _, err := sealed.Message(c); err != nil {
		t.Errorf("a text that looks like a signature: %v", err)
	}
}
