package witness

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/torchwood"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
	"github.com/waxwing-ota/waxwing/internal/core/tilelog"
	"github.com/waxwing-ota/waxwing/internal/core/tlogproof"
	"github.com/waxwing-ota/waxwing/internal/driver/sqlstore"
	driver "github.com/waxwing-ota/waxwing/internal/driver/witness"
	"github.com/waxwing-ota/waxwing/internal/plane/sealedlog"
	"github.com/waxwing-ota/waxwing/internal/plane/trust"
	"github.com/waxwing-ota/waxwing/internal/surface/logapi"
)

const origin = "ota.example.com/sealed/log"

func newSigner(t testing.TB) (*tilelog.Signer, p256.Signer) {
	t.Helper()
	signer, err := tilelog.NewSigner(origin, [32]byte{1})
	if err != nil {
		t.Fatal(err)
	}
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), bytes.Repeat([]byte{1}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return signer, p256.Software(key)
}

func newDB(t testing.TB) *sqlstore.DB {
	t.Helper()
	db, err := sqlstore.Open(t.Context(), filepath.Join(t.TempDir(), "waxwing.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func newLog(t testing.TB, db *sqlstore.DB, witnesses ...sealedlog.Witness) *sealedlog.Service {
	t.Helper()
	signer, key := newSigner(t)
	s, err := sealedlog.New(sealedlog.Deps{
		Store: sqlstore.SealedLog{DB: db}, Signer: signer, P256: key, Witnesses: witnesses, Threshold: len(witnesses), Now: time.Now,
		Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func doc(i int) ota.Digest { return ota.Sum(fmt.Append(nil, i)) }

func add(t testing.TB, db *sqlstore.DB, i int) {
	t.Helper()
	err := sqlstore.Trust{DB: db}.Update(t.Context(), "test", 1, func(tx trust.Tx) (ota.Change, error) {
		return ota.Change{Action: "test.add"}, tx.AppendSealedLeaf(t.Context(), "manifest", doc(i))
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestTorchwood has torchwood read our log over HTTP and verify our proofs.
func TestTorchwood(t *testing.T) {
	db := newDB(t)
	s := newLog(t, db)
	signer, _ := newSigner(t)
	own, err := note.NewVerifier(signer.Verifier())
	if err != nil {
		t.Fatal(err)
	}
	policy := torchwood.ThresholdPolicy(2, torchwood.OriginPolicy(origin), torchwood.SingleVerifierPolicy(own))
	srv := httptest.NewServer(logapi.New(logapi.Deps{
		Log: s, Prefix: "/sealed/log/", Open: true,
		Fail: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusNotFound) },
	}))
	defer srv.Close()
	for i := range 600 {
		add(t, db, i)
		if i%97 != 0 && i != 599 {
			continue
		}
		p, err := s.Proof(t.Context(), tlogproof.KindManifest, doc(i/2), 0)
		if err != nil {
			t.Fatal(err)
		}
		leaf := tlogproof.LeafHash(tlogproof.KindManifest, doc(i/2))
		if err := torchwood.VerifyProof(policy, leaf, []byte(p.Proof)); err != nil {
			t.Fatalf("%d entries: %v\n%s", i+1, err, p.Proof)
		}
		if torchwood.VerifyProof(policy, tlog.Hash{1}, []byte(p.Proof)) == nil {
			t.Error("another leaf is proven")
		}
		ours, err := tlogproof.Parse(p.Proof)
		if err != nil {
			t.Fatal(err)
		}
		var hashes tlog.RecordProof
		for _, h := range ours.Hashes {
			hashes = append(hashes, tlog.Hash(h))
		}
		if theirs := torchwood.FormatProof(ours.Index, hashes, []byte(ours.Checkpoint)); string(theirs) != p.Proof {
			t.Errorf("torchwood writes\n%s\nwe write\n%s", theirs, p.Proof)
		}
	}
	fetcher, err := torchwood.NewTileFetcher(srv.URL + "/sealed/log/")
	if err != nil {
		t.Fatal(err)
	}
	client, err := torchwood.NewClient(fetcher)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := fetcher.ReadEndpoint(t.Context(), "checkpoint")
	if err != nil {
		t.Fatal(err)
	}
	cp, _, err := torchwood.VerifyCheckpoint(signed, policy)
	if err != nil || cp.N != 600 {
		t.Fatalf("%+v, %v", cp, err)
	}
	n := 0
	for i, e := range client.AllEntries(t.Context(), cp.Tree, 0) {
		if !bytes.Equal(e, tlogproof.Entry(tlogproof.KindManifest, doc(int(i)))) {
			t.Fatalf("entry %d is %q", i, e)
		}
		n++
	}
	if client.Err() != nil || n != 600 {
		t.Errorf("torchwood read %d entries: %v", n, client.Err())
	}
}

// TestCosignatures holds our cosignature against torchwood's, both ways.
func TestCosignatures(t *testing.T) {
	pub, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := torchwood.NewCosignatureSigner("witness.example", key)
	if err != nil {
		t.Fatal(err)
	}
	ours, err := tilelog.CosignatureVerifier("witness.example", pub)
	if err != nil {
		t.Fatal(err)
	}
	if theirs.Verifier().String() != ours.String() || theirs.KeyHash() != ours.KeyHash() {
		t.Errorf("torchwood calls the key %s, we %s", theirs.Verifier(), ours)
	}
	text := tilelog.Checkpoint{Origin: origin, Size: 3, Root: tlog.Hash{1}}.Text()
	sig, err := theirs.Sign([]byte(text))
	if err != nil || !ours.Verify([]byte(text), sig) {
		t.Errorf("torchwood's cosignature does not verify: %v", err)
	}
	if sig := tilelog.Cosign(key, 1_700_000_000, []byte(text)); !theirs.Verifier().Verify([]byte(text), sig) {
		t.Error("torchwood does not verify ours")
	}
}

// built returns the folder of the programs, built from their module.
func built(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", dir+string(filepath.Separator), "filippo.io/torchwood/cmd/litewitness").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return dir
}

// TestLitewitness has a real witness cosign our log, and refuse a fork of it.
func TestLitewitness(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds other people's programs")
	}
	bin := built(t)
	dir, err := os.MkdirTemp("", "w") // sockets have short names
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	vkey, address := startWitness(t, bin, dir)
	witnesses, err := driver.Parse(vkey.String() + " " + address)
	if err != nil {
		t.Fatal(err)
	}
	db := newDB(t)
	s := newLog(t, db, witnesses...)
	policy := tlogproof.Policy{Origin: origin, P256: s.P256(), Witnesses: []tlogproof.Witness{{Name: vkey.Name(), Ed25519: vkey.Public()}}, Threshold: 1}
	var kept tlogproof.Checkpoint
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	db.OnSealedLeaf(s.Wake)
	go func() { ended <- s.Run(ctx) }()
	for i := range 20 {
		add(t, db, i)
		kept = proven(t, s, policy, i, kept)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	// A server that starts anew does not know what the witness saw, and learns it.
	s = newLog(t, db, witnesses...)
	add(t, db, 20)
	ctx, stop = context.WithCancel(t.Context())
	go func() { ended <- s.Run(ctx) }()
	kept = proven(t, s, policy, 20, kept)
	stop()
	<-ended
	if kept.Size != 21 {
		t.Errorf("the log has %d entries", kept.Size)
	}
	// Another log with the same keys: the witness saw too much.
	forked := newDB(t)
	for i := range 30 {
		add(t, forked, 100+i)
	}
	f := newLog(t, forked, witnesses...)
	ctx, stop = context.WithTimeout(t.Context(), 2*time.Second)
	defer stop()
	if err := f.Run(ctx); err != nil {
		t.Error(err)
	}
	if _, err := f.Proof(t.Context(), tlogproof.KindManifest, doc(100), 0); ota.CodeOf(err) != "checkpoint_missing" {
		t.Errorf("a fork was published: %v", err)
	}
}

// proven waits until an entry can be proven with the witness's line.
func proven(t *testing.T, s *sealedlog.Service, policy tlogproof.Policy, i int, kept tlogproof.Checkpoint) tlogproof.Checkpoint {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		p, err := s.Proof(t.Context(), tlogproof.KindManifest, doc(i), kept.Size)
		if code := ota.CodeOf(err); err != nil && (code == "entry_unsigned" || code == "checkpoint_missing") && time.Now().Before(end) {
			s.Wake()
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		cp, err := tlogproof.Check(p.Proof, doc(i), tlogproof.KindManifest, policy, kept, p.Consistency)
		if err != nil {
			t.Fatalf("entry %d: %v\n%s", i, err, p.Proof)
		}
		return cp
	}
}

// know tells the witness of our log, as its own tool would.
func know(t *testing.T, base, vkey string) {
	t.Helper()
	db, err := sql.Open("sqlite", base)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	empty := sha256.Sum256(nil)
	for _, q := range []struct {
		text string
		args []any
	}{
		{"CREATE TABLE log (origin TEXT PRIMARY KEY, tree_size INTEGER NOT NULL, tree_hash TEXT NOT NULL)", nil},
		{"CREATE TABLE key (origin TEXT NOT NULL, key TEXT NOT NULL, FOREIGN KEY(origin) REFERENCES log(origin))", nil},
		{"INSERT INTO log VALUES ($1, 0, $2)", []any{origin, base64.StdEncoding.EncodeToString(empty[:])}},
		{"INSERT INTO key VALUES ($1, $2)", []any{origin, vkey}},
	} {
		if _, err := db.ExecContext(t.Context(), q.text, q.args...); err != nil {
			t.Fatalf("%s: %v", q.text, err)
		}
	}
}

// startWitness starts litewitness with a key in an agent of our own, and tells it
// of our log.
func startWitness(t *testing.T, bin, dir string) (*tilelog.Verifier, string) {
	t.Helper()
	pub, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	sshPub, err := ssh.NewPublicKey(pub)
	if err != nil {
		t.Fatal(err)
	}
	ring := agent.NewKeyring()
	if err := ring.Add(agent.AddedKey{PrivateKey: key}); err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(dir, "s")
	ln, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() { _ = agent.ServeAgent(ring, c) }()
		}
	}()
	signer, _ := newSigner(t)
	base := filepath.Join(dir, "witness.db")
	know(t, base, signer.Verifier())
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	_ = free.Close()
	cmd := exec.Command(filepath.Join(bin, "litewitness"), "-name", "witness.example", "-db", base, "-ssh-agent", socket, "-listen", address, "-key", ssh.FingerprintSHA256(sshPub))
	cmd.Stdout, cmd.Stderr = t.Output(), t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		res, err := http.Get("http://" + address + "/")
		if err == nil {
			_ = res.Body.Close()
			break
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
	}
	v, err := tilelog.CosignatureVerifier("witness.example", pub)
	if err != nil {
		t.Fatal(err)
	}
	return v, "http://" + strings.TrimSpace(address)
}
