package cli

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/waxwing-ota/waxwing/internal/core/p256"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
	"github.com/waxwing-ota/waxwing/internal/core/tuf"
	"github.com/waxwing-ota/waxwing/internal/keyfile"
	"github.com/waxwing-ota/waxwing/internal/trustdir"
)

// cmdTrustDraft is "trustdraft DIR DAYS": a working folder of com.example.shop
// whose drafts expire so many days from now, with the one key DIR/r.key.
func cmdTrustDraft(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: trustdraft DIR DAYS")
	}
	days, err := strconv.Atoi(args[1])
	ts.Check(err)
	key := func() (*ecdsa.PrivateKey, p256.Key) {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		ts.Check(err)
		public, err := p256.FromPublic(&k.PublicKey)
		ts.Check(err)
		return k, public
	}
	dir := ts.MkAbs(args[0])
	f, err := trustdir.Create(dir, "com.example.shop")
	ts.Check(err)
	private, own := key()
	_, online := key()
	expires := time.Now().UTC().Truncate(time.Second).AddDate(0, 0, days)
	one := func(k p256.Key) tuf.Keys { return tuf.Keys{Keys: []p256.Key{k}, Threshold: 1} }
	_, other := key()
	ts.Check(f.Begin(trustdir.Start{
		Root: one(own), Release: one(own), RootExpires: expires, TargetsExpires: expires,
		MinClass: sealed.ClassProduction, MinAssurance: sealed.AssuranceNone,
		Online: trustdir.Online{
			Timestamp: []p256.Key{online}, Snapshot: []p256.Key{other}, Director: []p256.Key{online},
			Log: sealed.TrustLog{Name: "example.com/sealed", Ed25519: strings.Repeat("ab", 32), P256: online},
		},
	}))
	ts.Check(f.Save())
	ts.Check(keyfile.WriteP256(filepath.Join(dir, "r.key"), private, keyfile.Secret{}))
}
