package wycheproof

import (
	"encoding/hex"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/grant"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
)

type signatureGroup struct {
	PEM       string `json:"publicKeyPem"`
	PublicKey struct {
		Uncompressed bin `json:"uncompressed"`
	} `json:"publicKey"`
	SHA   string `json:"sha"`
	Tests []struct {
		ID      int    `json:"tcId"`
		Comment string `json:"comment"`
		Msg     bin    `json:"msg"`
		Sig     bin    `json:"sig"`
		Result  string `json:"result"`
	} `json:"tests"`
}

func TestECDSA(t *testing.T) {
	for file, verify := range map[string]func(k p256.Key, msg, sig []byte) bool{
		"ecdsa_secp256r1_sha256_test.json": func(k p256.Key, msg, sig []byte) bool {
			got := p256.Verify(k, msg, sig)
			if p256.VerifyHex(k, msg, hex.EncodeToString(sig)) != got {
				t.Errorf("in hex %x is something else", sig)
			}
			return got
		},
		"ecdsa_secp256r1_sha256_p1363_test.json": func(k p256.Key, msg, sig []byte) bool {
			der, err := p256.DERFromRaw(sig)
			return err == nil && p256.Verify(k, msg, der)
		},
	} {
		for _, g := range load(t, file, func(g signatureGroup) int { return len(g.Tests) }) {
			key, err := p256.FromPoint(g.PublicKey.Uncompressed)
			if err != nil || g.SHA != "SHA-256" {
				t.Fatal(g.SHA, err)
			}
			if key.Val.Public != g.PEM {
				t.Errorf("%s: our PEM is not theirs", file)
			}
			for _, v := range g.Tests {
				asPublished := verify(key, v.Msg, v.Sig) == (v.Result == "valid")
				if why, ok := exceptions()[file][v.ID]; asPublished == ok {
					t.Errorf("%s %d %s: published as %s, and we say so: %v; the table says %q", file, v.ID, v.Comment, v.Result, asPublished, why)
				}
			}
		}
	}
}

type pointGroup struct {
	Tests []struct {
		ID      int      `json:"tcId"`
		Comment string   `json:"comment"`
		Public  bin      `json:"public"`
		Result  string   `json:"result"`
		Flags   []string `json:"flags"`
	} `json:"tests"`
}

// TestAgreementKeys: which points are taken for a device's key agreement key.
// Compressed ones are refused although Wycheproof lets them through as
// "acceptable": a key has one form.
func TestAgreementKeys(t *testing.T) {
	for _, g := range load(t, "ecdh_secp256r1_ecpoint_test.json", func(g pointGroup) int { return len(g.Tests) }) {
		for _, v := range g.Tests {
			_, err := grant.ParsePublic(v.Public)
			if taken := err == nil; taken != (v.Result == "valid") {
				t.Errorf("%d %s: %s, taken: %v", v.ID, v.Comment, v.Result, taken)
			}
		}
	}
}
