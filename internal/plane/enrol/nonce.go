package enrol

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"net/netip"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// nonceLife is how long a nonce may be used.
const nonceLife = 10 * time.Minute

// Nonce is what a device enrols with. Expires is in Unix seconds.
type Nonce struct {
	Nonce   string `json:"nonce"`
	Expires int64  `json:"expires"`
}

// NewNonce makes a nonce for an app: four bytes of its end, four of randomness,
// eight that only this server can make of them. Nothing is stored until it is used.
func (s *Service) NewNonce(app string, from netip.Addr) (Nonce, error) {
	if err := s.rates.allow(askNonce, app, from, s.Now()); err != nil {
		return Nonce{}, err
	}
	expires := s.Now().Add(nonceLife).Unix()
	b := binary.BigEndian.AppendUint32(nil, uint32(expires))
	b = append(b, 0, 0, 0, 0)
	if _, err := io.ReadFull(s.Rand, b[4:]); err != nil {
		return Nonce{}, fmt.Errorf("draw a nonce: %w", err)
	}
	return Nonce{Nonce: hex.EncodeToString(s.sealNonce(app, b)), Expires: expires}, nil
}

func (s *Service) sealNonce(app string, head []byte) []byte {
	mac := hmac.New(sha256.New, s.Nonces[:])
	mac.Write([]byte("waxwing/enrol-nonce/v1\n" + app + "\n"))
	mac.Write(head)
	return append(head[:8:8], mac.Sum(nil)[:8]...)
}

// checkNonce says when a nonce of this server ends, Unix ms.
func (s *Service) checkNonce(app string, nonce []byte) (expires int64, err error) {
	refused := ota.Errorf(ota.KindUnauthorized, CodeNonce, "the nonce is not one of this server, or has expired").
		WithField("nonce").WithHint("ask for a new one; it holds for %s", nonceLife)
	if len(nonce) != 16 || !hmac.Equal(s.sealNonce(app, nonce[:8]), nonce) {
		return 0, refused
	}
	end := int64(binary.BigEndian.Uint32(nonce))
	if now := s.Now().Unix(); now >= end {
		return 0, refused
	}
	return end * 1000, nil
}
