package provenance_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/provenance"
	"github.com/waxwing-ota/waxwing/internal/core/seal"
)

// TestPublishedVector is the test vector of the DSSE protocol document: the
// encoding, and that its published signature (ECDSA P-256) is one over it.
func TestPublishedVector(t *testing.T) {
	pae := provenance.PAE("http://example.com/HelloWorld", []byte("hello world"))
	if string(pae) != "DSSEv1 29 http://example.com/HelloWorld 11 hello world" {
		t.Fatalf("%q", pae)
	}
	point := []byte{4}
	for _, text := range []string{
		"46950820868899156662930047687818585632848591499744589407958293238635476079160",
		"5640078356564379163099075877009565129882514886557779369047442380624545832820",
	} {
		n, _ := new(big.Int).SetString(text, 10)
		point = append(point, n.FillBytes(make([]byte, 32))...)
	}
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	if err != nil {
		t.Fatal(err)
	}
	sig, err := base64.StdEncoding.DecodeString("A3JqsQGtVsJ2O2xqrI5IcnXip5GToJ3F+FnZ+O88SjtR6rDAajabZKciJTfUiHqJPcIAriEGAHTVeCUjW2JIZA==")
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(pae)
	if !ecdsa.Verify(key, sum[:], new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:])) {
		t.Error("the published signature is not over these bytes")
	}
	if got := string(provenance.PAE("t/€", nil)); got != "DSSEv1 5 t/€ 0 " {
		t.Errorf("lengths are bytes: %q", got)
	}
}

var keyPair = sync.OnceValue(func() [2]*seal.PrivateKey {
	var k [2]*seal.PrivateKey
	for i := range k {
		var err error
		if k[i], err = seal.GenerateKey(rand.Reader); err != nil {
			panic(err)
		}
	}
	return k
})

func bundle() ota.Bundle {
	return ota.Bundle{
		App: "com.example.shop", Version: "1.0.1", Tree: ota.Sum([]byte("tree")), SBOM: ota.Sum([]byte("sbom")),
		Variants: []ota.Variant{{KeyID: keyPair()[0].Public().ID(), Zip: ota.Sum([]byte("sealed"))}, {Zip: ota.Sum([]byte("plain"))}},
	}
}

func factsOf(b ota.Bundle) provenance.Facts {
	return provenance.Facts{
		App: b.App, Version: b.Version, Channel: "production", Tree: b.Tree, Variants: b.Variants, SBOM: b.SBOM,
		Inputs: []provenance.Input{{Name: "package-lock.json", Sum: ota.Sum([]byte("lock"))}},
		Origin: provenance.Origin{
			Repository: "https://git.example.com/shop", Commit: strings.Repeat("ab", 20), Ref: "refs/heads/main", Dirty: true,
			CI: "github-actions", Run: "https://git.example.com/shop/actions/runs/1",
		},
		Tool: "1.2.3", At: time.UnixMilli(1_750_000_000_000),
	}
}

func TestSignAndOpen(t *testing.T) {
	k := keyPair()
	b := bundle()
	f := factsOf(b)
	for _, c := range []struct {
		name   string
		sign   []*seal.PrivateKey
		trust  []*seal.PublicKey
		signed int
		bad    bool
	}{
		{"one key", k[:1], []*seal.PublicKey{k[0].Public()}, 1, false},
		{"two keys", k[:], []*seal.PublicKey{k[0].Public(), k[1].Public()}, 2, false},
		{"one of two is known", k[:], []*seal.PublicKey{k[1].Public()}, 1, false},
		{"unsigned", nil, []*seal.PublicKey{k[0].Public()}, 0, false},
		{"another's", k[1:], []*seal.PublicKey{k[0].Public()}, 0, true},
		{"no key is trusted", k[:1], nil, 0, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			env, err := provenance.Sign(rand.Reader, provenance.New(f), c.sign)
			if err != nil {
				t.Fatal(err)
			}
			v, err := provenance.Open(env, c.trust)
			if bad := err != nil; bad != c.bad {
				t.Fatal(err)
			}
			if len(v.SignedBy) != c.signed {
				t.Errorf("signed by %v", v.SignedBy)
			}
			if c.bad {
				return
			}
			if err := v.Statement.About(&b); err != nil {
				t.Error(err)
			}
			if d := cmp.Diff(f.Origin, v.Statement.Origin()); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestTampered changes an envelope or the bundle it is about in every way, and
// none goes through.
func TestTampered(t *testing.T) {
	k := keyPair()
	good, err := provenance.Sign(rand.Reader, provenance.New(factsOf(bundle())), k[:1])
	if err != nil {
		t.Fatal(err)
	}
	payload := func(change func(s map[string]any)) func(*provenance.Envelope) {
		return func(e *provenance.Envelope) {
			raw, _ := base64.StdEncoding.DecodeString(e.Payload)
			var m map[string]any
			if err := json.Unmarshal(raw, &m); err != nil {
				t.Fatal(err)
			}
			change(m)
			raw, _ = json.Marshal(m)
			e.Payload = base64.StdEncoding.EncodeToString(raw)
		}
	}
	for name, c := range map[string]struct {
		envelope func(*provenance.Envelope)
		bundle   func(*ota.Bundle)
	}{
		"payload type":        {envelope: func(e *provenance.Envelope) { e.PayloadType = "application/json" }},
		"payload":             {envelope: payload(func(s map[string]any) { s["extra"] = 1 })},
		"subject":             {envelope: payload(func(s map[string]any) { s["subject"] = []any{} })},
		"signature":           {envelope: func(e *provenance.Envelope) { e.Signatures[0].Sig = "AAAA" + e.Signatures[0].Sig[4:] }},
		"signature cut":       {envelope: func(e *provenance.Envelope) { e.Signatures[0].Sig = e.Signatures[0].Sig[:100] }},
		"signature empty":     {envelope: func(e *provenance.Envelope) { e.Signatures[0].Sig = "" }},
		"signature lines":     {envelope: func(e *provenance.Envelope) { e.Signatures[0].Sig += "\n" }},
		"payload no base64":   {envelope: func(e *provenance.Envelope) { e.Payload = "*" }},
		"key id and payload":  {envelope: func(e *provenance.Envelope) { e.Signatures[0].KeyID = ""; e.Payload = "e30=" }},
		"too many signatures": {envelope: func(e *provenance.Envelope) { e.Signatures = make([]provenance.Signature, 17) }},
		"tree":                {bundle: func(b *ota.Bundle) { b.Tree = ota.Sum([]byte("other")) }},
		"zip":                 {bundle: func(b *ota.Bundle) { b.Variants[0].Zip = ota.Sum([]byte("other")) }},
		"zips swapped":        {bundle: func(b *ota.Bundle) { b.Variants[0].Zip, b.Variants[1].Zip = b.Variants[1].Zip, b.Variants[0].Zip }},
		"variant gone":        {bundle: func(b *ota.Bundle) { b.Variants = b.Variants[:1] }},
		"variant added":       {bundle: func(b *ota.Bundle) { b.Variants = append(b.Variants, ota.Variant{KeyID: "x", Zip: ota.Sum(nil)}) }},
		"version":             {bundle: func(b *ota.Bundle) { b.Version = "1.0.2" }},
		"app":                 {bundle: func(b *ota.Bundle) { b.App = "com.example.bank" }},
		"sbom":                {bundle: func(b *ota.Bundle) { b.SBOM = ota.Sum([]byte("other")) }},
		"sbom gone":           {bundle: func(b *ota.Bundle) { b.SBOM = ota.Digest{} }},
	} {
		t.Run(name, func(t *testing.T) {
			var e provenance.Envelope
			if err := json.Unmarshal(good, &e); err != nil {
				t.Fatal(err)
			}
			if c.envelope != nil {
				c.envelope(&e)
			}
			b := bundle()
			if c.bundle != nil {
				c.bundle(&b)
			}
			raw, _ := json.Marshal(e)
			v, err := provenance.Open(raw, []*seal.PublicKey{k[0].Public()})
			if err == nil {
				err = v.Statement.About(&b)
			}
			if ota.CodeOf(err) != "provenance_invalid" {
				t.Errorf("went through: %v", err)
			}
		})
	}
}

// TestURLAlphabet takes an envelope in base64url, as DSSE demands of verifiers.
func TestURLAlphabet(t *testing.T) {
	k := keyPair()
	good, err := provenance.Sign(rand.Reader, provenance.New(factsOf(bundle())), k[:1])
	if err != nil {
		t.Fatal(err)
	}
	var e provenance.Envelope
	if err := json.Unmarshal(good, &e); err != nil {
		t.Fatal(err)
	}
	swap := strings.NewReplacer("+", "-", "/", "_")
	e.Payload, e.Signatures[0].Sig = swap.Replace(e.Payload), swap.Replace(e.Signatures[0].Sig)
	raw, _ := json.Marshal(e)
	if v, err := provenance.Open(raw, []*seal.PublicKey{k[0].Public()}); err != nil || len(v.SignedBy) != 1 {
		t.Error(err)
	}
}

// TestForm compares the JSON with the field names of the in-toto statement and
// SLSA provenance documents.
func TestForm(t *testing.T) {
	b := bundle()
	b.Variants = b.Variants[1:]
	raw, err := json.MarshalIndent(provenance.New(factsOf(b)), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	want := `{
 "_type": "https://in-toto.io/Statement/v1",
 "subject": [
  {
   "name": "com.example.shop@1.0.1",
   "digest": {
    "waxwingTree": "` + b.Tree.String() + `"
   }
  },
  {
   "name": "1.0.1.zip",
   "digest": {
    "sha256": "` + b.Variants[0].Zip.String() + `"
   }
  }
 ],
 "predicateType": "https://slsa.dev/provenance/v1",
 "predicate": {
  "buildDefinition": {
   "buildType": "https://github.com/waxwing-ota/waxwing/blob/main/docs/provenance.md#push-v1",
   "externalParameters": {
    "app": "com.example.shop",
    "version": "1.0.1",
    "channel": "production"
   },
   "internalParameters": {
    "dirty": true,
    "ci": "github-actions",
    "ref": "refs/heads/main"
   },
   "resolvedDependencies": [
    {
     "name": "source",
     "uri": "git+https://git.example.com/shop@abababababababababababababababababababab",
     "digest": {
      "gitCommit": "abababababababababababababababababababab"
     }
    },
    {
     "name": "package-lock.json",
     "digest": {
      "sha256": "` + ota.Sum([]byte("lock")).String() + `"
     }
    }
   ]
  },
  "runDetails": {
   "builder": {
    "id": "https://github.com/waxwing-ota/waxwing",
    "version": {
     "waxwing": "1.2.3"
    }
   },
   "metadata": {
    "invocationId": "https://git.example.com/shop/actions/runs/1",
    "finishedOn": "2025-06-15T15:06:40Z"
   },
   "byproducts": [
    {
     "name": "bom.cdx.json",
     "digest": {
      "sha256": "` + b.SBOM.String() + `"
     }
    }
   ]
  }
 }
}`
	if d := cmp.Diff(want, string(raw)); d != "" {
		t.Error(d)
	}
}

func FuzzOpen(f *testing.F) {
	f.Add([]byte(`{"payload":"e30=","payloadType":"application/vnd.in-toto+json","signatures":[]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := provenance.Open(data, nil)
		if err == nil && (len(v.SignedBy) != 0 || len(v.Statement.Subject) == 0) {
			t.Errorf("%+v", v)
		}
	})
}
