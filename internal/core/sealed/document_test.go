package sealed_test

import (
	"bytes"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/canon"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
	"github.com/waxwing-ota/waxwing/internal/testkit/sealedworld"
)

var (
	day  = canon.At(sealedworld.Day)
	hash = sealed.HashOf([]byte("x"))
	id   = "0f0e0d0c-0b0a-4908-8706-050403020100"
)

const app = "com.example.app"

// kind is a document with everything in it, and how it is read.
type kind struct {
	doc   any
	bytes []byte
	parse func([]byte) error
	// empties are the fields that may also be empty.
	empties []string
}

func parse[T any, D interface {
	*T
	sealed.Document
}](b []byte,
) error {
	_, err := sealed.Parse[T, D](b)
	return err
}

func key(t testing.TB, n int) p256.Key { return sealedworld.New(t, app).Key(n).Public() }

func point(t testing.TB, n int) []byte {
	t.Helper()
	p, err := key(t, n).Point()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// kinds is every document of the package.
func kinds(t testing.TB) map[string]kind {
	t.Helper()
	w := sealedworld.New(t, app)
	out := map[string]kind{}
	add := func(doc sealed.Document, parse func([]byte) error, empties ...string) {
		b, err := sealed.Encode(doc)
		if err != nil {
			t.Fatalf("%s: %v", doc.Kind(), err)
		}
		out[doc.Kind()] = kind{doc, b, parse, empties}
	}
	trust := w.Trust
	trust.Witnesses = sealed.Witnesses{Threshold: 1, Keys: []sealed.Witness{{Name: "w.example", Ed25519: hash}}}
	trust.Broker = []sealed.Broker{{Name: "b.example", HPKE: point(t, 3)}}
	trust.Floor, trust.Epochs.Min = 3, 2
	add(&trust, parse[sealed.Trust], "authority", "broker", "epochs.min", "floor", "witnesses.threshold", "witnesses.keys")
	add(manifest(w), parse[sealed.Manifest], "encryption.dedupe", "floor", "native.max", "patches", "provenance", "scan")
	add(&sealed.Director{
		App: app, Request: hash, Device: hash, Issued: day, Expires: canon.At(day.Add(time.Minute)), Action: sealed.ActionInstall,
		Target: sealed.Target{Path: sealed.TargetPath(sealed.ClassStaging, app, 4), SHA256: hash, Seq: 4}, Floor: 3, Rollout: "r", Arm: sealed.ArmControl,
		PollAfter: 60, Root: 1, Timestamp: 7,
	}, parse[sealed.Director], "floor", "poll_after", "rollout")
	add(&sealed.CheckRequest{
		V: 1, Nonce: bytes.Repeat([]byte{7}, 16), App: app, Device: id, Certificate: hash, Platform: "ios", Native: "1.2.3", OS: "26.1", Plugin: "1.0.0",
		Versions: sealed.Versions{Root: 1, Timestamp: 2, Snapshot: 3, Targets: 4}, Running: sealed.Running{Seq: 1, SHA256: hash}, Log: 9,
		CustomID: "me", Channel: "beta", Sig: []byte{1},
	}, parse[sealed.CheckRequest], "channel", "custom_id", "log", "os", "plugin", "sig", "versions.snapshot", "versions.targets", "versions.timestamp")
	add(&sealed.EnrolRequest{
		V: 1, App: app, Device: id, Nonce: bytes.Repeat([]byte{7}, 16), Platform: "android", SignKey: key(t, 1), AgreeKey: point(t, 2),
		Assurance: sealed.AssuranceTEE, Attestation: sealed.Attestation{Kind: "android-key", Data: []byte{1}}, IDToken: "a.b.c", Sig: []byte{1},
	}, parse[sealed.EnrolRequest], "id_token", "sig")
	add(&sealed.Certificate{
		App: app, Device: id, Subject: "me@example.com", Groups: []string{"a", "b"}, SignKey: key(t, 1), AgreeKey: point(t, 2), Thumbprint: key(t, 1).ID(),
		Assurance: sealed.AssuranceSoftware, Issued: day, Expires: canon.At(day.AddDate(0, 0, 30)), Serial: 5,
	}, parse[sealed.Certificate], "groups", "subject")
	add(&sealed.GrantRequest{
		V: 1, App: app, Manifest: hash, Certificate: []byte("{}"), Nonce: bytes.Repeat([]byte{7}, 16), At: day, Sig: []byte{1},
	}, parse[sealed.GrantRequest], "sig")
	add(&sealed.Grant{
		App: app, Manifest: hash, KeyEpoch: 1, Thumbprint: hash, NotAfter: day, Enc: point(t, 2), CT: bytes.Repeat([]byte{7}, 48), Issuer: hash, Sig: []byte{1},
	}, parse[sealed.Grant], "sig")
	add(&sealed.Report{
		App: app, Device: id, Thumbprint: hash, N: 1, At: day, Manifest: hash, Seq: 1, Event: sealed.EventFailed, Reason: "health_timeout",
	}, parse[sealed.Report], "reason")
	out["answer"] = answer(t)
	return out
}

func answer(t testing.TB) kind {
	t.Helper()
	a := &sealed.Answer{
		Director: []byte("d"), Roots: []canon.Base64{[]byte("r")}, Timestamp: []byte("t"), Snapshot: []byte("s"),
		Roles: sealed.Roles{Targets: []byte("t"), Staging: []byte("s")}, Trust: []byte("t"), Manifest: []byte("m"), Proof: "p",
		Consistency: []canon.Hex{bytes.Repeat([]byte{1}, 32)},
	}
	b, err := a.Encode()
	if err != nil {
		t.Fatal(err)
	}
	// Optional fields may be left out and must not be empty; proof and checkpoint
	// exclude each other, so the second is looked at apart.
	return kind{a, b, func(b []byte) error { _, err := sealed.ParseAnswer(b); return err }, []string{"roots"}}
}

func manifest(w *sealedworld.World) *sealed.Manifest {
	m := w.Make(sealed.ClassProduction, 4, sealedworld.Files("4"), func(m *sealed.Manifest) {
		m.Floor, m.Provenance, m.Scan, m.Native.Max = 2, hash, hash, "3.0.0"
	}).Manifest
	m.Patches = []sealed.Patch{{
		Path: "app.js", From: hash, Format: sealed.PatchZstd, Size: 10, SHA256: hash, Blob: hash, EncSize: sealed.StoredSize(m.Encryption.Mode, 10),
	}}
	return m
}

// A document is the only encoding of what it says, and every type is here with
// every field in use.
func TestDocumentsAreWhole(t *testing.T) {
	for name, k := range kinds(t) {
		if err := k.parse(k.bytes); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		again := reflect.New(reflect.TypeOf(k.doc).Elem()).Interface()
		if err := canon.Decode(k.bytes, 1<<20, again); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(k.doc, again); diff != "" {
			t.Errorf("%s changed on its way:\n%s", name, diff)
		}
		for _, field := range fields(reflect.TypeOf(k.doc).Elem()) {
			if !bytes.Contains(k.bytes, []byte(`"`+field+`":`)) && field != "checkpoint" {
				t.Errorf("the sample of a %s has no %s, so nothing is known about it", name, field)
			}
		}
	}
}

// fields lists the names of all fields of a type and of what is in it.
func fields(t reflect.Type) []string {
	var out []string
	switch t.Kind() {
	case reflect.Slice:
		return fields(t.Elem())
	case reflect.Struct:
		for f := range t.Fields() {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if name != "" {
				out = append(append(out, name), fields(f.Type)...)
			}
		}
	}
	return out
}

// optional are the fields of the answer that may be left out.
var optional = []string{
	"consistency", "checkpoint", "manifest", "proof", "roles", "roles.staging", "roles.targets", "snapshot", "timestamp", "trust",
}

// The omission matrix: no field of any document can be left out, doubled, be of
// another type, null or unknown; and none can be empty but those that mean
// something then.
func TestOmissionMatrix(t *testing.T) {
	for name, k := range kinds(t) {
		n := 0
		for _, m := range sealedworld.Mutations(k.bytes) {
			n++
			path := strings.TrimRight(strings.Split(m.Path, "[")[0], ".")
			may := false
			switch {
			case strings.Contains(m.Path, "["): // an element of a list
				may = m.How == "removed" && strings.HasSuffix(m.Path, "]") && slices.Contains(k.empties, path)
				may = may || name == "manifest" && m.How == "removed" && (m.Path == "platforms[0]" || m.Path == "platforms[1]")
				may = may || name == "answer" && m.How == "doubled" && (path == "roots" || path == "consistency")
			case m.How == "empty":
				may = slices.Contains(k.empties, path)
			case m.How == "removed":
				may = name == "answer" && slices.Contains(optional, path)
			}
			err := k.parse(m.Bytes)
			if err == nil && !may {
				t.Errorf("%s: %s %s was accepted", name, m.Path, m.How)
			}
			if err != nil && ota.KindOf(err) == ota.KindInternal {
				t.Errorf("%s: %s %s: %v", name, m.Path, m.How, err)
			}
		}
		t.Logf("%s: %d faults", name, n)
	}
}

func TestFormsAreRefused(t *testing.T) {
	for name, k := range kinds(t) {
		if err := k.parse(append([]byte(" "), k.bytes...)); err == nil {
			t.Errorf("%s: a space before it", name)
		}
		if err := k.parse(append(slices.Clone(k.bytes), '\n')); err == nil {
			t.Errorf("%s: a line end after it", name)
		}
		if err := k.parse(k.bytes[:len(k.bytes)-1]); err == nil {
			t.Errorf("%s: cut off", name)
		}
		if err := k.parse(bytes.Repeat([]byte("a"), 5<<20)); err == nil {
			t.Errorf("%s: 5 MiB", name)
		}
		for other, o := range kinds(t) {
			if other != name && o.parse(k.bytes) == nil {
				t.Errorf("a %s was taken for a %s", name, other)
			}
		}
	}
}
