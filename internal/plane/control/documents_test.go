package control_test

import (
	"crypto/rand"
	"testing"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/provenance"
	"github.com/waxwing-ota/waxwing/internal/core/sbom"
	"github.com/waxwing-ota/waxwing/internal/core/seal"
	"github.com/waxwing-ota/waxwing/internal/plane/control"
)

// documented is a bundle of the version with an SBOM and provenance signed by keys.
func (e *env) documented(version string, keys ...*seal.PrivateKey) ota.NewBundle {
	e.t.Helper()
	in := e.bundle(version)
	doc, err := sbom.Document(sbom.Subject{App: app, Version: version}, []sbom.Package{{Name: "lodash", Version: version}})
	e.do(err)
	in.SBOM = e.put(doc)
	env, err := provenance.Sign(rand.Reader, provenance.New(provenance.Facts{
		App: app, Version: version, Tree: ota.TreeDigest(in.Tree), Variants: in.Variants, SBOM: in.SBOM, At: e.now(),
	}), keys)
	e.do(err)
	in.Provenance = e.put(env)
	return in
}

func TestDocuments(t *testing.T) {
	e := newEnv(t)
	in := e.documented("1.0.1")
	if _, _, err := e.CreateBundle(t.Context(), actor, app, in); err != nil {
		t.Fatal(err)
	}
	if _, _, err := e.CreateBundle(t.Context(), actor, app, e.documented("1.0.2")); err != nil {
		t.Fatal(err)
	}
	d, err := e.ComparePackages(t.Context(), app, "1.0.1", "1.0.2")
	if err != nil || len(d.Changed) != 1 || d.Changed[0].To[0] != "1.0.2" {
		t.Errorf("%+v %v", d, err)
	}
	// Garbage collection keeps the documents of live bundles and no others.
	e.put([]byte("nobody's"))
	e.pass(48 * time.Hour)
	if r, err := e.CollectGarbage(t.Context(), actor); err != nil || r.Blobs != 1 {
		t.Errorf("%+v %v", r, err)
	}
	if _, err := e.Packages(t.Context(), app, "1.0.1"); err != nil {
		t.Error(err)
	}
	r, _, err := e.Provenance(t.Context(), app, "1.0.1")
	if err != nil {
		t.Fatal(err)
	}
	e.do(r.Close())
	if err := e.DeleteBundle(t.Context(), actor, app, "1.0.1", true); err != nil {
		t.Fatal(err)
	}
	e.pass(48 * time.Hour)
	if _, err := e.CollectGarbage(t.Context(), actor); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Packages(t.Context(), app, "1.0.1"); ota.CodeOf(err) != control.CodeNoSBOM {
		t.Error(err)
	}
}

func TestDocumentsRefused(t *testing.T) {
	e := newEnv(t)
	other := e.documented("9.9.9")
	for name, c := range map[string]struct {
		code   string
		change func(*ota.NewBundle)
	}{
		"sbom is not there":       {control.CodeBlobMissing, func(in *ota.NewBundle) { in.SBOM = ota.Sum([]byte("x")) }},
		"sbom is none":            {"sbom_invalid", func(in *ota.NewBundle) { in.SBOM = e.put([]byte("{}")) }},
		"another sbom":            {"provenance_invalid", func(in *ota.NewBundle) { in.SBOM = other.SBOM }},
		"no sbom":                 {"provenance_invalid", func(in *ota.NewBundle) { in.SBOM = ota.Digest{} }},
		"provenance is not there": {control.CodeBlobMissing, func(in *ota.NewBundle) { in.Provenance = ota.Sum([]byte("x")) }},
		"provenance is none":      {"provenance_invalid", func(in *ota.NewBundle) { in.Provenance = e.put([]byte("[]")) }},
		"another's provenance":    {"provenance_invalid", func(in *ota.NewBundle) { in.Provenance = other.Provenance }},
		"signed by a stranger":    {"provenance_invalid", func(in *ota.NewBundle) { in.Provenance = e.documented(in.Version, keyPair()[0]).Provenance }},
	} {
		in := e.documented("1.0.1")
		c.change(&in)
		if _, _, err := e.CreateBundle(t.Context(), actor, app, in); ota.CodeOf(err) != c.code {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestChannelAsks has a channel that takes only what somebody signed for.
func TestChannelAsks(t *testing.T) {
	e := newEnv(t)
	ask := func(m ota.ProvenanceMode) {
		t.Helper()
		if _, err := e.UpdateChannel(t.Context(), who, app, prod, ota.PolicyPatch{Provenance: &m}); err != nil {
			t.Fatal(err)
		}
	}
	bare := e.bundle("1.0.1")
	if _, _, err := e.CreateBundle(t.Context(), actor, app, bare); err != nil {
		t.Fatal(err)
	}
	if _, _, err := e.CreateBundle(t.Context(), actor, app, e.documented("1.0.2")); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		mode          ota.ProvenanceMode
		version, code string
	}{
		{ota.ProvenanceRecorded, "1.0.1", control.CodeProvenanceMissing},
		{ota.ProvenanceSigned, "1.0.1", control.CodeProvenanceMissing},
		{ota.ProvenanceSigned, "1.0.2", control.CodeProvenanceUnsigned},
		{ota.ProvenanceSigned, ota.Builtin, ""},
		{ota.ProvenanceRecorded, "1.0.2", ""},
		{ota.ProvenanceOff, "1.0.1", ""},
	} {
		ask(c.mode)
		if c.code != "" {
			if _, err := e.SetRollout(t.Context(), who, app, prod, ota.RolloutRequest{Version: c.version}); ota.CodeOf(err) != c.code {
				t.Errorf("rollout, %s, %s: %v", c.mode, c.version, err)
			}
		}
		if _, _, err := e.Release(t.Context(), who, app, prod, ota.ReleaseRequest{Version: c.version}); err == nil && c.code != "" || err != nil && ota.CodeOf(err) != c.code {
			t.Errorf("%s, %s: %v", c.mode, c.version, err)
		}
	}
}
