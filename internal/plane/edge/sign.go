package edge

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Window is how long a rendered answer, with the links in it, is given out
// unchanged; a link is good for at least ttl and at most ttl + Window.
const (
	Window = time.Hour
	ttl    = 24 * time.Hour
)

// macSize is the length of a link's signature: 128 bits of an HMAC-SHA-256.
const macSize = 16

// Signer makes and checks download links.
type Signer struct{ secret [32]byte }

// NewSigner signs with a secret that only this server knows.
func NewSigner(secret [32]byte) *Signer { return &Signer{secret} }

// Link returns the path and query of a download, good until expires (Unix seconds).
func (s *Signer) Link(app string, d ota.Digest, expires int64) string {
	mac := s.mac(app, d, expires)
	b := make([]byte, 0, len("/files/")+len(app)+2*len(d)+48)
	b = append(b, "/files/"...)
	b = append(append(b, app...), '/')
	b = append(b, d.String()...)
	b = strconv.AppendInt(append(b, "?e="...), expires, 10)
	b = base64.RawURLEncoding.AppendEncode(append(b, "&s="...), mac[:])
	return string(b)
}

// Check tells whether a link was made here and is still good at now. Its errors
// are of KindForbidden, codes link_invalid and link_expired.
func (s *Signer) Check(app string, d ota.Digest, e, sig string, now time.Time) error {
	expires, err := strconv.ParseInt(e, 10, 64)
	got, err2 := base64.RawURLEncoding.DecodeString(sig)
	if err != nil || err2 != nil || len(sig) > 64 {
		return ota.Errorf(ota.KindForbidden, "link_invalid", "this is no download link of this server")
	}
	if want := s.mac(app, d, expires); !hmac.Equal(got, want[:]) {
		return ota.Errorf(ota.KindForbidden, "link_invalid", "this is no download link of this server")
	}
	if now.Unix() > expires {
		return ota.Errorf(ota.KindForbidden, "link_expired", "this download link has expired").WithHint("check for an update again to get a new one")
	}
	return nil
}

func (s *Signer) mac(app string, d ota.Digest, expires int64) (out [macSize]byte) {
	h := hmac.New(sha256.New, s.secret[:])
	b := make([]byte, 0, 128)
	b = append(append(b, app...), '\n')
	b = append(append(b, d[:]...), '\n')
	h.Write(strconv.AppendInt(b, expires, 10))
	copy(out[:], h.Sum(b[:0]))
	return out
}

// expiry returns when links of the window that t is in expire.
func expiry(window int64) int64 {
	return (window+1)*int64(Window/time.Second) + int64(ttl/time.Second)
}

func windowOf(t time.Time) int64 { return t.Unix() / int64(Window/time.Second) }
