package sealed_test

import (
	"bytes"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/canon"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
	"github.com/waxwing-ota/waxwing/internal/testkit/sealedworld"
)

// fuzz demands that what is read is what would be written.
func fuzz[T any, D interface {
	*T
	sealed.Document
}](f *testing.F,
) {
	f.Helper()
	name := D(new(T)).Kind()
	seed := kinds(f)[name].bytes
	f.Add(seed)
	for i, m := range sealedworld.Mutations(seed) {
		if i%7 == 0 {
			f.Add(m.Bytes)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		doc, err := sealed.Parse[T, D](b)
		if err != nil {
			return
		}
		again, err := sealed.Encode(D(doc))
		if err != nil || !bytes.Equal(b, again) {
			t.Fatalf("%v\n%s\n%s", err, b, again)
		}
	})
}

func FuzzTrust(f *testing.F)        { fuzz[sealed.Trust](f) }
func FuzzManifest(f *testing.F)     { fuzz[sealed.Manifest](f) }
func FuzzDirector(f *testing.F)     { fuzz[sealed.Director](f) }
func FuzzCheckRequest(f *testing.F) { fuzz[sealed.CheckRequest](f) }
func FuzzEnrolRequest(f *testing.F) { fuzz[sealed.EnrolRequest](f) }
func FuzzCertificate(f *testing.F)  { fuzz[sealed.Certificate](f) }
func FuzzGrantRequest(f *testing.F) { fuzz[sealed.GrantRequest](f) }
func FuzzGrant(f *testing.F)        { fuzz[sealed.Grant](f) }
func FuzzReport(f *testing.F)       { fuzz[sealed.Report](f) }

func FuzzAnswer(f *testing.F) {
	f.Add(answer(f).bytes)
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := sealed.ParseAnswer(b)
		if err != nil {
			return
		}
		if again, err := a.Encode(); err != nil || !bytes.Equal(b, again) {
			t.Fatalf("%v\n%s\n%s", err, b, again)
		}
	})
}

// An envelope that opens has exactly the signed bytes, under a key that is trusted.
func FuzzEnvelope(f *testing.F) {
	w := sealedworld.New(f, app)
	good := envelope(f, report(), w.Key(1))
	f.Add(good)
	keys := map[string]p256.Key{w.Key(1).Public().ID(): w.Key(1).Public()}
	f.Fuzz(func(t *testing.T, b []byte) {
		var r sealed.Report
		if sealed.Open(b, sealed.MaxReport, keys, 1, "report", &r) != nil {
			return
		}
		if r != *signed(report()) {
			t.Fatalf("opened %+v", r)
		}
		var e sealed.Envelope
		if err := canon.Decode(b, sealed.MaxReport, &e); err != nil {
			t.Fatal(err)
		}
	})
}
