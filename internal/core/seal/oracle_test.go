package seal

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// exchange is what passes between the oracle script and the tests.
type exchange struct {
	PublicKey  string     `json:"publicKey"`
	PrivateKey string     `json:"privateKey,omitempty"`
	Session    string     `json:"session"`
	Digest     string     `json:"digest"`
	Hash       string     `json:"hash"`
	HashV2     string     `json:"hashV2"`
	Files      []specimen `json:"files"`
}

type specimen struct {
	Plain  []byte `json:"plain,omitempty"`
	Sealed []byte `json:"sealed,omitempty"`
}

// oracle runs the script in node, or skips the test where there is none.
func oracle(t *testing.T, verb string, give any) exchange {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		if strings.Contains(os.Getenv("WAXWING_TEST_REQUIRE"), "node") {
			t.Fatal("WAXWING_TEST_REQUIRE asks for node, and node is not on PATH")
		}
		t.Skip("SKIPPED: node is not on PATH, so nothing was compared with node's crypto")
	}
	in := must[[]byte](t)(json.Marshal(give))
	cmd := exec.CommandContext(t.Context(), node, "testdata/oracle.mjs", verb)
	cmd.Stdin = bytes.NewReader(in)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("the oracle failed: %v\n%s", err, stderr.String())
	}
	var got exchange
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestOracleOpensOurs(t *testing.T) {
	k, d := keyA(), ota.Sum([]byte("content"))
	s := k.EpochSession("com.example.app", 1)
	give := exchange{
		PublicKey: k.Public().PEM(),
		Session:   must[string](t)(k.SealSession(s)),
		Hash:      must[string](t)(k.SealHash(d)),
		HashV2:    must[string](t)(k.SealHashV2(d)),
	}
	lengths := []int{0, 1, 15, 16, 17, 4096, chunkLen - 1, chunkLen, chunkLen + 1, 200000}
	for _, n := range lengths {
		var buf bytes.Buffer
		must[int64](t)(s.Encrypt(&buf, bytes.NewReader(pattern(n))))
		give.Files = append(give.Files, specimen{Sealed: buf.Bytes()})
	}
	got := oracle(t, "open", give)
	if got.Hash != d.String() || got.HashV2 != d.String() {
		t.Errorf("node opens our hashes to %s and %s, want %s", got.Hash, got.HashV2, d)
	}
	for i, n := range lengths {
		if !bytes.Equal(got.Files[i].Plain, pattern(n)) {
			t.Errorf("node opens our file of %d bytes to %d others", n, len(got.Files[i].Plain))
		}
	}
}

func TestOracleOpenedByUs(t *testing.T) {
	got := oracle(t, "make", nil)
	pub := must[*PublicKey](t)(ParsePublicKey([]byte(got.PublicKey)))
	priv := must[*PrivateKey](t)(ParsePrivateKey([]byte(got.PrivateKey)))
	if pub.PEM() != got.PublicKey || priv.Public().PEM() != got.PublicKey || string(priv.PEM()) != got.PrivateKey {
		t.Error("we write node's keys in another form")
	}
	if d := must[ota.Digest](t)(pub.OpenHash(got.Hash)); d.String() != got.Digest {
		t.Errorf("hash opens to %s, want %s", d, got.Digest)
	}
	if d := must[ota.Digest](t)(pub.OpenHashV2(got.HashV2)); d.String() != got.Digest {
		t.Errorf("hash (V2) opens to %s, want %s", d, got.Digest)
	}
	d := ota.Sum([]byte("content"))
	if must[string](t)(priv.SealHash(d)) != got.Hash || must[string](t)(priv.SealHashV2(d)) != got.HashV2 {
		t.Error("we sign the same hash to another value")
	}
	s := must[Session](t)(pub.OpenSession(got.Session))
	if must[string](t)(priv.SealSession(s)) != got.Session {
		t.Error("we seal the same session to another value")
	}
	for _, f := range got.Files {
		plain, err := decryptBoth(t, s, f.Sealed)
		if err != nil || !bytes.Equal(plain, f.Plain) {
			t.Errorf("node's file of %d bytes opens to %d, %v", len(f.Plain), len(plain), err)
		}
		if !bytes.Equal(s.EncryptBytes(f.Plain), f.Sealed) {
			t.Errorf("we encrypt the same %d bytes differently", len(f.Plain))
		}
	}
	if _, err := keyA().Public().OpenSession(got.Session); ota.CodeOf(err) != "signature_invalid" {
		t.Errorf("our key opens node's session: %v", err)
	}
}
