package tuf_test

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/canon"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
	"github.com/waxwing-ota/waxwing/internal/core/tuf"
)

// mutation is a change of one field of a document: removed, emptied, doubled, of
// another type, or joined by one that nobody knows.
type mutation struct{ path, kind string }

var mutationKinds = []string{"removed", "empty", "doubled", "string", "number", "boolean", "object", "array", "null", "stranger"}

// render writes a value in canonical form but for the mutation, which may make
// what no encoder would.
func render(v any, at string, m mutation) string {
	if at == m.path {
		switch m.kind {
		case "empty":
			return map[string]string{"string": `""`, "number": "0", "boolean": "false", "object": "{}", "array": "[]"}[kindOf(v)]
		case "string", "number", "boolean", "object", "array", "null":
			if kindOf(v) != m.kind {
				return map[string]string{"string": `"1"`, "number": "1", "boolean": "true", "object": "{}", "array": "[]", "null": "null"}[m.kind]
			}
		}
	}
	var parts []string
	add := func(child, text string) {
		switch {
		case child == m.path && m.kind == "removed":
		case child == m.path && m.kind == "doubled":
			parts = append(parts, text, text)
		default:
			parts = append(parts, text)
		}
	}
	switch x := v.(type) {
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(x)) {
			add(at+"/"+k, `"`+k+`":`+render(x[k], at+"/"+k, m))
		}
		if at == m.path && m.kind == "stranger" {
			parts = append(parts, `"zzz":1`)
		}
		return "{" + strings.Join(parts, ",") + "}"
	case []any:
		for i, e := range x {
			child := fmt.Sprint(at, "/", i)
			add(child, render(e, child, m))
		}
		if at == m.path && m.kind == "stranger" {
			parts = append(parts, `"zzz"`)
		}
		return "[" + strings.Join(parts, ",") + "]"
	default:
		b, _ := json.Marshal(v)
		return string(b)
	}
}

func kindOf(v any) string {
	switch v.(type) {
	case string:
		return "string"
	case json.Number:
		return "number"
	case bool:
		return "boolean"
	case map[string]any:
		return "object"
	default:
		return "array"
	}
}

// fields lists the paths of a value.
func fields(v any, at string) []string {
	all := []string{at}
	switch x := v.(type) {
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(x)) {
			all = append(all, fields(x[k], at+"/"+k)...)
		}
	case []any:
		for i, e := range x {
			all = append(all, fields(e, fmt.Sprint(at, "/", i))...)
		}
	}
	return all
}

// wellFormed are the mutations that make another document of the same kind, which
// is as good as the first if the role's keys sign it.
func wellFormed(m mutation) bool {
	switch target, ok := strings.CutPrefix(m.path, "/signed/targets/"); {
	case ok && (target == tuf.TrustPath || strings.HasSuffix(target, ".manifest")):
		return m.kind == "removed"
	case m.path == "/signed/targets":
		return m.kind == "empty"
	default:
		return m.path == "/signed/meta/staging.json" && m.kind == "removed"
	}
}

// TestOmissionMatrix changes each field of each document in each way, has the
// right keys sign the result, makes its parents name it, and wants it refused: so
// the reading of the document alone has to find it.
func TestOmissionMatrix(t *testing.T) {
	r := newRepo(t)
	next, err := r.root.Next(r.root.Plan())
	r.must(err)
	r.root = next
	r.publishRoot()
	for doc, b := range map[string][]byte{
		"root": r.latest.Root, "timestamp": r.latest.Timestamp, "snapshot": r.latest.Snapshot,
		"targets": r.latest.Roles["targets"], "staging": r.latest.Roles["staging"],
	} {
		t.Run(doc, func(t *testing.T) {
			var tree any
			dec := json.NewDecoder(strings.NewReader(string(b)))
			dec.UseNumber()
			if err := dec.Decode(&tree); err != nil {
				t.Fatal(err)
			}
			if render(tree, "", mutation{}) != string(b) {
				t.Fatal("the document is not rendered as it is")
			}
			if err := r.takeMutated(doc, tree, mutation{}); err != nil {
				t.Fatalf("the document as it is: %v", err)
			}
			tried := 0
			for _, path := range fields(tree, "") {
				for _, kind := range mutationKinds {
					m := mutation{path, kind}
					if render(tree, "", m) == string(b) {
						continue // no such change of this field
					}
					tried++
					if err := r.takeMutated(doc, tree, m); (err == nil) != wellFormed(m) {
						t.Errorf("%s %s: %v", path, kind, err)
					}
				}
			}
			if tried < 100 {
				t.Errorf("only %d mutations", tried)
			}
			t.Logf("%d mutations", tried)
		})
	}
}

// takeMutated gives a client the mutated document, signed anew, in place of the
// published one.
func (r *repo) takeMutated(doc string, tree any, m mutation) error {
	r.t.Helper()
	b := r.signMutated(doc, tree, m)
	c, err := tuf.Start(r.roots[0])
	r.must(err)
	if doc == "root" {
		if err := c.UpdateRoot(b); err != nil {
			return err
		}
		_, err := tuf.Start(b)
		return err
	}
	p := r.published()
	sn := *r.sn
	ts := *r.ts
	switch doc {
	case "timestamp":
		p.Timestamp = b
		return feed(c, r.roots[1:], p, day)
	case "snapshot":
		p.Snapshot = b
	default:
		p.Roles[doc] = b
		sn.Meta = maps.Clone(sn.Meta)
		sn.Meta[doc+".json"] = tuf.MetaFile{Version: 1, Length: int64(len(b)), Hashes: tuf.Hashes{SHA256: hash256(string(b))}}
		p.Snapshot, err = tuf.Sign(r.t.Context(), sn, r.by["snapshot"]...)
		r.must(err)
	}
	ts.Meta.Snapshot = tuf.MetaFile{Version: 1, Length: int64(len(p.Snapshot)), Hashes: tuf.Hashes{SHA256: hash256(string(p.Snapshot))}}
	p.Timestamp, err = tuf.Sign(r.t.Context(), ts, r.by["timestamp"]...)
	r.must(err)
	if doc == "snapshot" && m.path == "/signed/meta/staging.json" && m.kind == "removed" {
		delete(p.Roles, "staging")
	}
	return feed(c, r.roots[1:], p, day)
}

// signMutated renders the document with its signatures made anew over what is
// then signed, unless the mutation is of the signatures themselves.
func (r *repo) signMutated(doc string, tree any, m mutation) []byte {
	r.t.Helper()
	signed := render(tree.(map[string]any)["signed"], "/signed", m)
	sigs := []any{}
	for _, s := range r.by[doc] {
		der, err := p256.Sign(r.t.Context(), s, canon.Signing([]byte(signed)))
		r.must(err)
		sigs = append(sigs, map[string]any{"keyid": s.Public().ID(), "sig": hex.EncodeToString(der)})
	}
	return []byte(render(map[string]any{"signatures": sigs, "signed": tree.(map[string]any)["signed"]}, "", m))
}
