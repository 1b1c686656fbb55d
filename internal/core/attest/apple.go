package attest

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/binary"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

const (
	appleFormat  = "apple-appattest"
	authDataHead = 32 + 1 + 4 + 16 + 2 // application, flags, counter, environment, length of the key's name
	keyName      = 32
	maxReceipt   = 16 << 10
)

func nonceOID() asn1.ObjectIdentifier { return asn1.ObjectIdentifier{1, 2, 840, 113635, 100, 8, 2} }

// statement is an attestation object of App Attest.
type statement struct {
	certs    [][]byte
	authData []byte
}

// appAttest checks what developer.apple.com says under "Validating apps that
// connect to your server". The attested key is one of App Attest's own; that
// the client data names ours is what ties the two.
func appAttest(data []byte, in Asked) (Signal, error) {
	st, err := readStatement(data)
	if err != nil {
		return Signal{}, err
	}
	leaf, _, trusted, err := chain(st.certs, in.Roots)
	if err != nil {
		return Signal{}, err
	}
	ext := extension(leaf, nonceOID())
	var wrapped struct {
		Nonce []byte `asn1:"tag:1,explicit"`
	}
	if rest, err := asn1.Unmarshal(ext, &wrapped); err != nil || len(rest) != 0 {
		return Signal{}, invalid("the key's certificate has no nonce").WithCause(err)
	}
	client := ClientData(in.App, in.Device, in.Nonce, in.Thumbprint, in.AgreeKey)
	want := sha256.Sum256(append(bytes.Clone(st.authData), client[:]...))
	if !bytes.Equal(wrapped.Nonce, want[:]) {
		return Signal{}, otherChallenge()
	}
	key, ok := leaf.PublicKey.(*ecdsa.PublicKey)
	if !ok {
		return Signal{}, otherKey()
	}
	point, err := key.Bytes()
	if err != nil {
		return Signal{}, invalid("its key cannot be read").WithCause(err)
	}
	name := sha256.Sum256(point)
	a := st.authData
	if binary.BigEndian.Uint16(a[authDataHead-2:authDataHead]) != keyName || !bytes.Equal(a[authDataHead:authDataHead+keyName], name[:]) {
		return Signal{}, otherKey()
	}
	if binary.BigEndian.Uint32(a[33:37]) != 0 {
		return Signal{}, invalid("its key was used before")
	}
	s := software()
	if !trusted {
		s.note("no trusted root signed it")
	}
	if app := sha256.Sum256([]byte(in.AppleAppID)); in.AppleAppID == "" || !bytes.Equal(a[:32], app[:]) {
		s.note("another app made the key")
	}
	if !bytes.Equal(a[37:53], []byte("appattest\x00\x00\x00\x00\x00\x00\x00")) {
		s.note("it is of the development environment")
	}
	if len(s.Notes) == 0 {
		s.Level = ota.AssuranceTEE
	}
	return s, nil
}

// readStatement reads {"fmt", "attStmt": {"x5c", "receipt"}, "authData"} and
// nothing else.
func readStatement(data []byte) (st statement, err error) {
	r := reader{b: data}
	seen := map[string]bool{}
	n := r.head(majorMap, 3)
	for range n {
		name := r.text(16)
		if seen[name] {
			r.fail()
		}
		seen[name] = true
		switch name {
		case "fmt":
			if r.text(32) != appleFormat {
				r.fail()
			}
		case "authData":
			st.authData = r.bytes(4 << 10)
		case "attStmt":
			st.certs = r.attStmt()
		default:
			r.fail()
		}
	}
	if r.bad || n != 3 || len(r.b) != 0 || len(st.authData) < authDataHead+keyName {
		return st, invalid("it is no attestation object of App Attest")
	}
	return st, nil
}

func (r *reader) attStmt() (certs [][]byte) {
	n, receipt := r.head(majorMap, 2), false
	for range n {
		switch name := r.text(16); {
		case name == "x5c" && certs == nil:
			certs = [][]byte{}
			for range r.head(majorArray, maxChain) {
				certs = append(certs, r.bytes(8<<10))
			}
		case name == "receipt" && !receipt:
			receipt = true
			r.bytes(maxReceipt)
		default:
			r.fail()
		}
	}
	return certs
}
