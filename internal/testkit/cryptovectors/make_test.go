package cryptovectors

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/hex"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/canon"
	"github.com/waxwing-ota/waxwing/internal/core/cobblestone"
	"github.com/waxwing-ota/waxwing/internal/core/delta"
	"github.com/waxwing-ota/waxwing/internal/core/grant"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
)

func canonCases() []canonCase {
	var all []canonCase
	for _, c := range []struct{ name, text string }{
		{"empty object", `{}`},
		{"empty array", `[]`},
		{"all kinds", `{"a":[1,0,"x",true,false,{}],"b":"é"}`},
		{"key characters", `{"AZaz09_.:/-":1}`},
		{"order of bytes", `{"-":1,".":2,"/":3,"0":4,":":5,"A":6,"_":7,"a":8}`},
		{"escapes", `"\"\\\n"`},
		{"backslash before n", `"\\n\\\n"`},
		{"delete and beyond the plane", "\"\x7f😀\""},
		{"largest integer", `9007199254740991`},
		{"16 levels", strings.Repeat("[", 16) + strings.Repeat("]", 16)},
	} {
		d := bin(c.text)
		all = append(all, canonCase{c.name, d, true, canon.Signing(d)})
	}
	for _, c := range []struct{ name, text string }{
		{"nothing", ``},
		{"null", `null`},
		{"null inside", `{"a":null}`},
		{"space", `{"a": 1}`},
		{"space before", ` 1`},
		{"newline behind", "1\n"},
		{"two values", `1 2`},
		{"keys not sorted", `{"b":1,"a":2}`},
		{"key twice", `{"a":1,"a":1}`},
		{"key with an escape", `{"\u0061":1}`},
		{"key with a space", `{"a b":1}`},
		{"key beyond ASCII", `{"é":1}`},
		{"empty key", `{"":1}`},
		{"minus", `-1`},
		{"minus zero", `-0`},
		{"fraction", `1.0`},
		{"exponent", `1e0`},
		{"leading zero", `01`},
		{"2^53", `9007199254740992`},
		{"escaped slash", `"\/"`},
		{"escaped letter", `"\u0061"`},
		{"escaped newline in hex", `"\u000a"`},
		{"escaped tab", `"\t"`},
		{"raw newline", "\"\n\""},
		{"raw tab", "\"\t\""},
		{"zero byte", "\"\x00\""},
		{"invalid UTF-8", "\"\xff\""},
		{"overlong", "\"\xc0\xaf\""},
		{"half a surrogate pair", "\"\xed\xa0\x80\""},
		{"byte order mark", "\xef\xbb\xbf1"},
		{"trailing comma", `[1,]`},
		{"comma in an object", `{"a":1,}`},
		{"not closed", `{"a":1`},
		{"string not closed", `"a`},
		{"capital", `True`},
		{"17 levels", strings.Repeat("[", 17) + strings.Repeat("]", 17)},
	} {
		all = append(all, canonCase{c.name, bin(c.text), false, bin{}})
	}
	return all
}

func signatureCases(t *testing.T) []signatureCase {
	t.Helper()
	signer := func(b byte) p256.Signer {
		k, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), bytes.Repeat([]byte{b}, 32))
		if err != nil {
			t.Fatal(err)
		}
		return p256.Software(k)
	}
	message := []byte(`{"_type":"example","n":1}`)
	der, err := p256.Sign(t.Context(), signer(1), message)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := p256.RawFromDER(der)
	if err != nil {
		t.Fatal(err)
	}
	good := signatureCase{"good", signer(1).Public(), signer(1).Public().ID(), message, der, raw[:], true}
	all := []signatureCase{good}
	add := func(name string, change func(*signatureCase)) {
		c := good
		c.Message, c.DER, c.OK = slices.Clone(c.Message), slices.Clone(c.DER), false
		change(&c)
		if r, err := p256.RawFromDER(c.DER); err == nil {
			c.Raw = r[:]
		} else {
			c.Raw = bin{}
		}
		if c.KeyID = ""; c.Key.Check() == nil {
			c.KeyID = c.Key.ID()
		}
		all = append(all, c)
	}
	add("another message", func(c *signatureCase) { c.Message[0]++ })
	add("empty message", func(c *signatureCase) { c.Message = bin{} })
	add("another key", func(c *signatureCase) { c.Key = signer(2).Public() })
	add("flipped", func(c *signatureCase) { c.DER[len(c.DER)-1] ^= 1 })
	add("trailing byte", func(c *signatureCase) { c.DER = append(c.DER, 0) })
	add("length in two bytes", func(c *signatureCase) { c.DER = append(bin{0x30, 0x81}, c.DER[1:]...) })
	add("cut", func(c *signatureCase) { c.DER = c.DER[:len(c.DER)-1] })
	add("empty", func(c *signatureCase) { c.DER = bin{} })
	add("raw instead of DER", func(c *signatureCase) { c.DER = raw[:] })
	add("zeros", func(c *signatureCase) { c.DER = bin{0x30, 6, 2, 1, 0, 2, 1, 0} })
	add("r is the order", func(c *signatureCase) {
		n, _ := hex.DecodeString("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551")
		c.DER = append(append(bin{0x30, 0x26, 2, 0x21, 0}, n...), 2, 1, 1)
	})
	add("key without its last newline", func(c *signatureCase) { c.Key.Val.Public = strings.TrimSpace(c.Key.Val.Public) })
	add("key with other line ends", func(c *signatureCase) { c.Key.Val.Public = strings.ReplaceAll(c.Key.Val.Public, "\n", "\r\n") })
	add("key of another scheme", func(c *signatureCase) { c.Key.Scheme = "ecdsa-sha2-nistp384" })
	return all
}

func blobCases(t *testing.T) []blobCase {
	t.Helper()
	epoch, err := cobblestone.KeyFrom(bytes.Repeat([]byte{3}, 32))
	if err != nil {
		t.Fatal(err)
	}
	make := func(name string, plain []byte) blobCase {
		b := cobblestone.Blob{Epoch: epoch, App: "com.example.app", Plain: ota.Sum(plain), Size: int64(len(plain))}
		var out bytes.Buffer
		if _, err := b.Seal(&out, bytes.NewReader(b.Plain[:]), bytes.NewReader(plain)); err != nil {
			t.Fatal(err)
		}
		key, err := cobblestone.DeriveBlobKey(epoch, b.Plain)
		if err != nil {
			t.Fatal(err)
		}
		context, err := cobblestone.Context(b.App, b.Plain)
		if err != nil {
			t.Fatal(err)
		}
		return blobCase{name, epoch.Reveal(), b.App, b.Plain[:], b.Size, key.Reveal(), context, out.Bytes(), -1, -1, bin{}, true}
	}
	short := make("short", []byte("hello, waxwing\n"))
	whole := make("one whole chunk and an empty one", bytes.Repeat([]byte("0123456789abcdef"), 1024))
	all := []blobCase{make("empty", nil), short, whole}
	add := func(of blobCase, name string, change func(*blobCase)) {
		c := of
		c.Name, c.OK = name, false
		change(&c)
		all = append(all, c)
	}
	for name, at := range map[string]int{"salt": 0, "commitment": 55, "text": 56, "tag": len(short.Blob) - 1} {
		add(short, "flipped: "+name, func(c *blobCase) { c.Flip = at })
	}
	slices.SortFunc(all[3:], func(a, b blobCase) int { return strings.Compare(a.Name, b.Name) })
	for _, n := range []int{0, 23, 24, 55, 56, 60, 71, len(short.Blob) - 1} {
		add(short, "cut", func(c *blobCase) { c.Cut = n })
	}
	add(short, "one byte more", func(c *blobCase) { c.Append = bin{0} })
	add(short, "its last chunk twice", func(c *blobCase) { c.Append = c.Blob[56:] })
	add(short, "announced longer", func(c *blobCase) { c.Size++ })
	add(short, "announced shorter", func(c *blobCase) { c.Size-- })
	add(whole, "without its empty chunk", func(c *blobCase) { c.Cut = 56 + 16400 })
	return all
}

func grantCases(t *testing.T) []grantCase {
	t.Helper()
	priv, err := grant.ParsePrivate(bytes.Repeat([]byte{4}, 32))
	if err != nil {
		t.Fatal(err)
	}
	other, err := grant.ParsePrivate(bytes.Repeat([]byte{5}, 32))
	if err != nil {
		t.Fatal(err)
	}
	key, err := cobblestone.KeyFrom(bytes.Repeat([]byte{6}, 32))
	if err != nil {
		t.Fatal(err)
	}
	i := grant.Info{
		App: "com.example.app", Manifest: ota.Sum([]byte("manifest")), Epoch: 0x01020304, Thumbprint: ota.Sum([]byte("thumbprint")),
		NotAfter: time.Date(2026, 11, 25, 19, 0, 0, 0, time.UTC),
	}
	enc, ct, err := grant.Seal(priv.Public(), i, key)
	if err != nil {
		t.Fatal(err)
	}
	var all []grantCase
	add := func(name string, change func(*grantCase)) {
		c := grantCase{
			name, priv.Reveal(), priv.Public().Bytes(), i.App, i.Manifest[:], i.Epoch, i.Thumbprint[:],
			i.NotAfter.Format(time.RFC3339), nil, slices.Clone(enc), slices.Clone(ct),
			bin{},
		}
		change(&c)
		end, err := time.Parse(time.RFC3339, c.NotAfter)
		if err != nil {
			t.Fatal(err)
		}
		c.Info, err = grant.Info{App: c.App, Manifest: ota.Digest(c.Manifest), Epoch: c.Epoch, Thumbprint: ota.Digest(c.Thumbprint), NotAfter: end}.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
	add("good", func(c *grantCase) { c.Key = key.Reveal() })
	add("another app", func(c *grantCase) { c.App = "com.example.apq" })
	add("another manifest", func(c *grantCase) { c.Manifest = c.Thumbprint })
	add("another epoch", func(c *grantCase) { c.Epoch++ })
	add("another thumbprint", func(c *grantCase) { c.Thumbprint = c.Manifest })
	add("another end", func(c *grantCase) { c.NotAfter = "2026-11-25T19:00:01Z" })
	add("another device", func(c *grantCase) { c.Private, c.Public = other.Reveal(), other.Public().Bytes() })
	add("enc flipped", func(c *grantCase) { c.Enc[64] ^= 1 })
	add("enc of another point", func(c *grantCase) { c.Enc = other.Public().Bytes() })
	add("enc compressed", func(c *grantCase) { c.Enc = append(bin{2 + c.Enc[64]&1}, c.Enc[1:33]...) })
	add("ct flipped", func(c *grantCase) { c.CT[0] ^= 1 })
	add("ct cut", func(c *grantCase) { c.CT = c.CT[:47] })
	add("ct longer", func(c *grantCase) { c.CT = append(c.CT, 0) })
	return all
}

func patchCases(t *testing.T) []patchCase {
	t.Helper()
	old := []byte(strings.Repeat("function a(b){return b+1}\n", 60) + "/* the end */\n")
	new := append(bytes.ReplaceAll(old, []byte("the end"), []byte("not the end")), "more();\n"...)
	magic := append([]byte("\x37\xa4\x30\xec"), old...) // looks like a formatted dictionary, and is none
	patch := func(old, new []byte) bin {
		p, err := delta.Make(old, new)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	good, size := patch(old, new), int64(len(new))
	return []patchCase{
		{"from an old file", old, good, size, new},
		{"from nothing", bin{}, patch(nil, new), size, new},
		{"from a file like a dictionary", magic, patch(magic, new), size, new},
		{"announced longer", old, good, size + 1, bin{}},
		{"announced shorter", old, good, size - 1, bin{}},
		{"cut", old, good[:len(good)-1], size, bin{}},
		{"trailing byte", old, append(slices.Clone(good), 0), size, bin{}},
		{"skippable frame before", old, append([]byte("\x50\x2a\x4d\x18\x00\x00\x00\x00"), good...), size, bin{}},
		{"two frames", old, append(slices.Clone(good), good...), 2 * size, bin{}},
		{"no frame", old, new, size, bin{}},
		{"empty", old, bin{}, size, bin{}},
	}
}
