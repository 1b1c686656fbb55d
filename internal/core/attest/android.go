package attest

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"slices"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// keyDescription is the extension of Android key attestation
// (source.android.com: Key and ID attestation, schema).
type keyDescription struct {
	Version        int
	Level          asn1.Enumerated
	MintVersion    int
	MintLevel      asn1.Enumerated
	Challenge      []byte
	UniqueID       []byte
	Software, Hard asn1.RawValue
}

// Security levels of the schema.
const (
	levelTEE       asn1.Enumerated = 1
	levelStrongBox asn1.Enumerated = 2
)

// Tags of an authorization list that are looked at.
const (
	tagPurpose     = 1
	tagOrigin      = 702
	tagRootOfTrust = 704
	tagApplication = 709

	purposeSign     = 2
	originGenerated = 0
	maxAuthorized   = 200 // entries of a list
)

func keyDescriptionOID() asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11129, 2, 1, 17}
}

func android(data []byte, in Asked) (Signal, error) {
	ders, err := split(data)
	if err != nil {
		return Signal{}, err
	}
	leaf, rest, trusted, err := chain(ders, in.Roots)
	if err != nil {
		return Signal{}, err
	}
	ext := extension(leaf, keyDescriptionOID())
	if ext == nil {
		return Signal{}, invalid("the key's certificate does not say how the key is kept")
	}
	// A key that was attested could sign a certificate with a description of its own.
	for _, c := range rest {
		if extension(c, keyDescriptionOID()) != nil {
			return Signal{}, invalid("a certificate above the key's says how it is kept")
		}
	}
	var d keyDescription
	if trailing, err := asn1.Unmarshal(ext, &d); err != nil || len(trailing) != 0 {
		return Signal{}, invalid("how the key is kept cannot be read").WithCause(err)
	}
	if want := Challenge(in.App, in.Device, in.Nonce); !bytes.Equal(d.Challenge, want[:]) {
		return Signal{}, otherChallenge()
	}
	if key, ok := leaf.PublicKey.(*ecdsa.PublicKey); !ok || in.Key == nil || !key.Equal(in.Key) {
		return Signal{}, otherKey()
	}
	hard, err := authorizations(d.Hard)
	if err != nil {
		return Signal{}, err
	}
	soft, err := authorizations(d.Software)
	if err != nil {
		return Signal{}, err
	}
	if !trusted {
		return software("no trusted root signed it"), nil
	}
	return judge(d, hard, soft, in)
}

// judge gives the level of the hardware only where all that it says is in order.
func judge(d keyDescription, hard, soft map[int]asn1.RawValue, in Asked) (Signal, error) {
	level := min(d.Level, d.MintLevel)
	s := software()
	if level != levelTEE && level != levelStrongBox {
		s.note("the key is not in hardware")
	}
	if n, ok := integer(hard[tagOrigin]); !ok || n != originGenerated {
		s.note("the key was not made in the hardware")
	}
	if !signsOnly(hard[tagPurpose]) {
		s.note("the key is not for signing alone")
	}
	locked, err := bootLocked(hard[tagRootOfTrust])
	if err != nil {
		return Signal{}, err
	}
	if !locked {
		s.note("the device's system is not the maker's, or its boot loader is open")
	}
	ours, err := application(soft[tagApplication], in)
	if err != nil {
		return Signal{}, err
	}
	if !ours {
		s.note("another app made the key")
	}
	if len(s.Notes) > 0 {
		return s, nil
	}
	s.Level = ota.AssuranceTEE
	if level == levelStrongBox {
		s.Level = ota.AssuranceStrongBox
	}
	return s, nil
}

// split cuts DER values that follow each other apart.
func split(data []byte) ([][]byte, error) {
	var out [][]byte
	for len(data) > 0 {
		if len(out) == maxChain {
			return nil, invalid("it has too many certificates")
		}
		var one asn1.RawValue
		rest, err := asn1.Unmarshal(data, &one)
		if err != nil {
			return nil, invalid("its certificates cannot be read").WithCause(err)
		}
		out, data = append(out, one.FullBytes), rest
	}
	return out, nil
}

func extension(c *x509.Certificate, id asn1.ObjectIdentifier) []byte {
	for _, e := range c.Extensions { // the standard library refuses doubled ones
		if e.Id.Equal(id) {
			return e.Value
		}
	}
	return nil
}

// authorizations reads a list of explicitly tagged values.
func authorizations(list asn1.RawValue) (map[int]asn1.RawValue, error) {
	if list.Tag != asn1.TagSequence || !list.IsCompound {
		return nil, invalid("a list of authorizations is none")
	}
	out := map[int]asn1.RawValue{}
	for rest := list.Bytes; len(rest) > 0; {
		var v asn1.RawValue
		var err error
		if rest, err = asn1.Unmarshal(rest, &v); err != nil || v.Class != asn1.ClassContextSpecific || !v.IsCompound {
			return nil, invalid("an authorization cannot be read").WithCause(err)
		}
		if _, twice := out[v.Tag]; twice || len(out) == maxAuthorized {
			return nil, invalid("an authorization is there twice, or there are too many")
		}
		out[v.Tag] = v
	}
	return out, nil
}

func integer(v asn1.RawValue) (n int, ok bool) {
	rest, err := asn1.Unmarshal(v.Bytes, &n)
	return n, err == nil && len(rest) == 0
}

func signsOnly(v asn1.RawValue) bool {
	var set []int
	rest, err := asn1.UnmarshalWithParams(v.Bytes, &set, "set")
	return err == nil && len(rest) == 0 && slices.Equal(set, []int{purposeSign})
}

// bootLocked reports whether the hardware saw a locked boot loader start the
// maker's system. The list is the hardware's own.
func bootLocked(v asn1.RawValue) (bool, error) {
	if v.Bytes == nil {
		return false, nil
	}
	var r struct {
		Key    []byte
		Locked bool
		State  asn1.Enumerated // 0 = verified
		Hash   []byte          `asn1:"optional"`
	}
	if rest, err := asn1.Unmarshal(v.Bytes, &r); err != nil || len(rest) != 0 {
		return false, invalid("how the system was started cannot be read").WithCause(err)
	}
	return r.Locked && r.State == 0, nil
}

// application reports whether the app is the one that may enrol. The system
// says it, not the hardware.
func application(v asn1.RawValue, in Asked) (bool, error) {
	if in.AndroidPackage == "" && len(in.AndroidDigests) == 0 {
		return true, nil
	}
	if v.Bytes == nil {
		return false, nil
	}
	var inner []byte
	if rest, err := asn1.Unmarshal(v.Bytes, &inner); err != nil || len(rest) != 0 {
		return false, invalid("which app made the key cannot be read").WithCause(err)
	}
	var id struct {
		Packages []struct {
			Name    []byte
			Version int64
		} `asn1:"set"`
		Digests [][]byte `asn1:"set"`
	}
	if rest, err := asn1.Unmarshal(inner, &id); err != nil || len(rest) != 0 {
		return false, invalid("which app made the key cannot be read").WithCause(err)
	}
	named := in.AndroidPackage == ""
	for _, p := range id.Packages {
		named = named || string(p.Name) == in.AndroidPackage
	}
	signed := len(in.AndroidDigests) == 0
	for _, d := range id.Digests {
		signed = signed || slices.Contains(in.AndroidDigests, hex.EncodeToString(d))
	}
	return named && signed, nil
}
