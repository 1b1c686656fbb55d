package verifierts

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/canon"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
	"github.com/waxwing-ota/waxwing/internal/core/sealed/admit"
	"github.com/waxwing-ota/waxwing/internal/core/tuf"
	"github.com/waxwing-ota/waxwing/internal/testkit/admitvectors"
	"github.com/waxwing-ota/waxwing/internal/testkit/sealedworld"
)

const app = "com.example.app"

// scenes makes answers with one thing wrong, most of them.
type scenes struct {
	t     *testing.T
	w     *sealedworld.World
	dice  *rand.Rand
	file  *admitvectors.File
	build admit.Build
	state admit.State
	good  *sealedworld.Bundle
	n     int
}

func newScenes(t *testing.T) *scenes {
	w := sealedworld.New(t, app)
	s := &scenes{t: t, w: w, dice: rand.New(rand.NewPCG(1, 2)), file: &admitvectors.File{}, build: w.Build("android")}
	s.state = admit.Fresh(s.build)
	one := w.Release(sealed.ClassProduction, 1, nil)
	in := w.Input(s.build, s.state, one, 0)
	var err error
	if _, s.state, err = admit.Admit(s.state, in, w.Source(one)); err != nil {
		t.Fatal(err)
	}
	w.Rotate(w.RootPlan())
	s.good = w.Release(sealed.ClassProduction, 2, nil)
	return s
}

func (s *scenes) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// ask is what an honest server says.
func (s *scenes) ask(name string) *admitvectors.Scene {
	s.n++
	return &admitvectors.Scene{
		Name: fmt.Sprintf("%d: %s", s.n, name), State: s.state, In: s.w.Input(s.build, s.state, s.good, s.n), Key: s.w.Epoch, Blobs: maps.Clone(s.good.Blobs),
	}
}

// scramble changes bytes: flips, cuts, doubles or swaps them.
func (s *scenes) scramble(b []byte) []byte {
	out := bytes.Clone(b)
	for range 1 + s.dice.IntN(2) {
		if len(out) < 4 {
			return out
		}
		i := s.dice.IntN(len(out) - 2)
		switch s.dice.IntN(6) {
		case 0:
			out[i] ^= 1 << s.dice.IntN(8)
		case 1:
			out = slices.Delete(out, i, i+1)
		case 2:
			out = slices.Insert(out, i, out[s.dice.IntN(len(out))])
		case 3:
			out[i], out[i+1] = out[i+1], out[i]
		case 4:
			out[i] = `0123456789abcdef{}[]",:\ntz`[s.dice.IntN(27)]
		case 5:
			n := min(len(out)-i, 1+s.dice.IntN(40))
			out = slices.Insert(out, s.dice.IntN(len(out)), slices.Clone(out[i:i+n])...)
		}
	}
	return out
}

// places are the documents of an answer.
func places(a *sealed.Answer) map[string]*canon.Base64 {
	return map[string]*canon.Base64{
		"director": &a.Director, "root": &a.Roots[0], "timestamp": &a.Timestamp, "snapshot": &a.Snapshot,
		"targets": &a.Roles.Targets, "staging": &a.Roles.Staging, "trust": &a.Trust, "manifest": &a.Manifest,
	}
}

// random changes bytes anywhere: nothing of it was signed anew.
func (s *scenes) random(count int) {
	for range count {
		sc := s.ask("bytes")
		all := places(sc.In.Answer)
		names := append(slices.Sorted(maps.Keys(all)), "proof", "answer", "request", "blob")
		switch name := names[s.dice.IntN(len(names))]; name {
		case "proof":
			sc.In.Answer.Proof = string(bytes.ToValidUTF8(s.scramble([]byte(sc.In.Answer.Proof)), []byte("?")))
			if bytes.ContainsFunc([]byte(sc.In.Answer.Proof), func(r rune) bool { return r < ' ' && r != '\n' }) {
				continue
			}
		case "answer":
			raw, err := sc.In.Answer.Encode()
			s.must(err)
			sc.Raw = s.scramble(raw)
		case "request":
			sc.In.Request = s.scramble(sc.In.Request)
		case "blob":
			for _, address := range slices.Sorted(maps.Keys(sc.Blobs))[:1] {
				sc.Blobs[address] = s.scramble(sc.Blobs[address])
			}
		default:
			*all[name] = s.scramble(*all[name])
		}
		s.must(s.file.Add(*sc))
	}
}

// signed changes one field of a document, and the right keys sign it: what is left
// to refuse it are the rules of the document itself.
func (s *scenes) signed(count int) {
	kinds := map[string]func(sc *admitvectors.Scene, doc []byte){
		"director": func(sc *admitvectors.Scene, doc []byte) {
			sc.In.Answer.Director = s.envelope(doc, sealedworld.Director)
		},
		"timestamp": func(sc *admitvectors.Scene, doc []byte) {
			sc.In.Answer.Timestamp = s.metadata(doc, sealedworld.Timestamp)
		},
		"root": func(sc *admitvectors.Scene, doc []byte) {
			sc.In.Answer.Roots[0] = s.metadata(doc, sealedworld.Root1, sealedworld.Root2)
		},
		"request": func(sc *admitvectors.Scene, doc []byte) {
			sc.In.Request = doc
			sc.In.Answer.Director = s.w.Direct(doc, s.good, nil)
		},
		"answer": func(sc *admitvectors.Scene, doc []byte) { sc.Raw = doc },
	}
	names := slices.Sorted(maps.Keys(kinds))
	for i := range count {
		name := names[i%len(names)]
		sc := s.ask(name)
		raw, err := sc.In.Answer.Encode()
		s.must(err)
		doc := map[string][]byte{
			"director": part(sc.In.Answer.Director), "timestamp": part(sc.In.Answer.Timestamp), "root": part(sc.In.Answer.Roots[0]),
			"request": sc.In.Request, "answer": raw,
		}[name]
		m := sealedworld.Mutations(doc)
		pick := m[s.dice.IntN(len(m))]
		sc.Name += " " + pick.Path + " " + pick.How
		kinds[name](sc, pick.Bytes)
		s.must(s.file.Add(*sc))
	}
}

// listed changes trust.json and manifests and has them listed, logged and signed.
func (s *scenes) listed(count int) {
	for i := range count {
		name, doc := "trust", s.w.TrustB
		if i%2 == 0 {
			name, doc = "manifest", s.good.Raw
		}
		m := sealedworld.Mutations(doc)
		pick := m[s.dice.IntN(len(m))]
		var sc *admitvectors.Scene
		switch name {
		case "trust":
			s.w.List(tuf.RoleTargets, sealed.TrustPath, pick.Bytes)
			s.w.Publish()
			sc = s.ask("trust")
			sc.In.Answer.Trust = pick.Bytes
			s.w.List(tuf.RoleTargets, sealed.TrustPath, s.w.TrustB)
		default:
			evil := *s.good
			evil.Raw = pick.Bytes
			s.w.List(tuf.RoleTargets, evil.Path, evil.Raw)
			evil.Leaf = s.w.Tree.Add(evil.Raw)
			s.w.Publish()
			was := s.good
			s.good = &evil
			sc = s.ask("manifest")
			s.good = was
			s.w.List(tuf.RoleTargets, was.Path, was.Raw)
		}
		s.w.Publish()
		sc.Name += " " + pick.Path + " " + pick.How
		s.must(s.file.Add(*sc))
	}
}

// part is the signed part of an envelope.
func part(env []byte) []byte {
	i := bytes.Index(env, []byte(`"signed":`)) + len(`"signed":`)
	return env[i : len(env)-1]
}

func (s *scenes) metadata(doc []byte, keys ...int) []byte {
	return s.sign(doc, canon.Signing(doc), keys)
}

func (s *scenes) envelope(doc []byte, keys ...int) []byte { return s.sign(doc, doc, keys) }

func (s *scenes) sign(doc, message []byte, keys []int) []byte {
	lines := map[string]string{}
	for _, k := range keys {
		der, err := p256.Sign(context.Background(), s.w.Key(k), message)
		s.must(err)
		id := s.w.Key(k).Public().ID()
		lines[id] = `{"keyid":"` + id + `","sig":"` + hex.EncodeToString(der) + `"}`
	}
	var out bytes.Buffer
	out.WriteString(`{"signatures":[`)
	for i, id := range slices.Sorted(maps.Keys(lines)) {
		if i > 0 {
			out.WriteByte(',')
		}
		out.WriteString(lines[id])
	}
	out.WriteString(`],"signed":`)
	out.Write(doc)
	out.WriteByte('}')
	return out.Bytes()
}

// Both implementations say the same of thousands of changed answers: taken in or
// refused, and which state is to be kept of what was taken in.
func TestAgreesWithGo(t *testing.T) {
	s := newScenes(t)
	random, signed, listed := 1000, 700, 300
	if testing.Short() {
		random, signed, listed = 150, 100, 50
	}
	s.must(s.file.Add(*s.ask("honest")))
	s.random(random)
	s.signed(signed)
	s.listed(listed)
	b, err := s.file.Encode()
	s.must(err)
	path := filepath.Join(t.TempDir(), "cases.json")
	s.must(os.WriteFile(path, b, 0o600))
	var got []admitvectors.Outcome
	s.must(json.Unmarshal(node(t, `process.stdout.write(JSON.stringify(await v.outcomes(readFileSync(process.argv[2], 'utf8'))));`, path), &got))
	if len(got) != len(s.file.Cases) {
		t.Fatalf("%d outcomes of %d", len(got), len(s.file.Cases))
	}
	accepted, codes := 0, 0
	for i, c := range s.file.Cases {
		want := c.Expect
		if (want.Code == "") != (got[i].Code == "") || want.Code == "" && got[i] != want {
			t.Errorf("%s: %+v, Go says %+v", c.Name, got[i], want)
		}
		if want.Code == "" {
			accepted++
		}
		if want.Code != got[i].Code {
			codes++
		}
	}
	if got[0].Code != "" || accepted == len(got) {
		t.Errorf("the honest answer: %+v; %d of %d accepted", got[0], accepted, len(got))
	}
	t.Logf("%d answers, %d taken in, %d refused with another code", len(got), accepted, codes)
}
