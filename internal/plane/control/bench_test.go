package control_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/seal"
)

// What the server itself spends on publishing 460 encrypted files: first all of
// them new, then 8 changed.
func BenchmarkPublish460(b *testing.B) {
	key := keyPair()[0]
	files := map[string]string{"index.html": "v0"}
	for i := range 459 {
		files[fmt.Sprintf("assets/%03d.js", i)] = fmt.Sprintf("%d %s", i, strings.Repeat("x", 500))
	}
	b.Run("first", func(b *testing.B) {
		e := newEnv(b)
		in := signed(b, e, key, files)
		n := 0
		for b.Loop() {
			n++
			b.StopTimer()
			other := fmt.Sprintf("com.example.app%d", n)
			_, err := e.CreateApp(e.ctx(), actor, ota.NewApp{ID: other})
			e.do(err)
			_, err = e.RegisterKey(e.ctx(), who, other, key.Public().PEM())
			e.do(err)
			b.StartTimer()
			_, _, err = e.CreateBundle(e.ctx(), actor, other, in)
			e.do(err)
		}
	})
	b.Run("second", func(b *testing.B) {
		e := newEnv(b)
		in := signed(b, e, key, files)
		_, _, err := e.CreateBundle(e.ctx(), actor, app, in)
		e.do(err)
		n := 0
		for b.Loop() {
			n++
			b.StopTimer()
			for i := range 8 {
				files[fmt.Sprintf("assets/%03d.js", i)] = fmt.Sprintf("%d.%d", n, i)
			}
			in := signed(b, e, key, files)
			in.Version = fmt.Sprintf("1.0.%d", n)
			b.StartTimer()
			_, err := e.Missing(e.ctx(), app, ota.MissingQuery{
				Version: in.Version, Tree: ota.TreeDigest(in.Tree), Files: in.Tree,
				Encodings: []ota.Encoding{{KeyID: in.Variants[0].KeyID, SessionKey: in.Variants[0].SessionKey}},
			})
			e.do(err)
			_, _, err = e.CreateBundle(e.ctx(), actor, app, in)
			e.do(err)
		}
	})
}

// signed packs files for the key, which it registers.
func signed(b *testing.B, e *env, key *seal.PrivateKey, files map[string]string) ota.NewBundle {
	b.Helper()
	if _, err := e.RegisterKey(e.ctx(), who, app, key.Public().PEM()); err != nil {
		b.Fatal(err)
	}
	return ota.NewBundle{Version: "1.0.0", Tree: treeOf(files), Variants: []ota.Variant{e.variant(files, key)}}
}
