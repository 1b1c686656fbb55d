package sealeddevice

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"io"

	"github.com/waxwing-ota/waxwing/internal/core/grant"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
)

// identity is who the device is, as it is stored. On a phone the keys stay in its
// hardware; here they are in a file that only the owner reads.
type identity struct {
	Device      string          `json:"device"`
	Sign        []byte          `json:"sign"`  // PKCS#8
	Agree       []byte          `json:"agree"` // 32 bytes
	Certificate []byte          `json:"certificate,omitempty"`
	Reported    int64           `json:"reported"` // number of the last report
	Waiting     [][]byte        `json:"waiting"`  // signed reports, oldest first
	Pending     []pendingReport `json:"pending"`  // made before there was a certificate
}

type pendingReport struct {
	Event    string `json:"event"`
	Manifest string `json:"manifest"`
	Seq      int64  `json:"seq"`
	Reason   string `json:"reason"`
}

// maxWaiting is how many reports wait at most; the oldest make room.
const maxWaiting = 200

func (d *Device) identify() error {
	if err := d.disk.readJSON(identityFile, &d.id); err != nil {
		return err
	}
	changed, err := d.completeIdentity()
	if err != nil || !changed {
		return err
	}
	return d.saveIdentity()
}

func (d *Device) saveIdentity() error { return d.disk.replaceJSON(identityFile, &d.id) }

func (d *Device) completeIdentity() (changed bool, err error) {
	if d.cfg.Device != "" && d.cfg.Device != d.id.Device {
		d.id, changed = identity{Device: d.cfg.Device}, true
	}
	if d.id.Device == "" {
		if d.id.Device, err = newUUID(d.cfg.Random); err != nil {
			return false, err
		}
		changed = true
	}
	if len(d.id.Sign) == 0 {
		key, err := ecdsa.GenerateKey(elliptic.P256(), d.cfg.Random)
		if err != nil {
			return false, fmt.Errorf("make the device's key: %w", err)
		}
		if d.id.Sign, err = x509.MarshalPKCS8PrivateKey(key); err != nil {
			return false, fmt.Errorf("make the device's key: %w", err)
		}
		changed = true
	}
	if len(d.id.Agree) == 0 {
		d.id.Agree = make([]byte, grant.PrivateSize)
		for {
			if _, err := io.ReadFull(d.cfg.Random, d.id.Agree); err != nil {
				return false, fmt.Errorf("make the device's key: %w", err)
			}
			if _, err := grant.ParsePrivate(d.id.Agree); err == nil {
				break // nearly every number is a key
			}
		}
		changed = true
	}
	return changed, nil
}

func newUUID(random io.Reader) (string, error) {
	var b [16]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", fmt.Errorf("make a device id: %w", err)
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:], nil
}

func (d *Device) signer() (p256.Signer, error) {
	k, err := x509.ParsePKCS8PrivateKey(d.id.Sign)
	key, ok := k.(*ecdsa.PrivateKey)
	if err != nil || !ok {
		return nil, ota.Invalid(CodeDisk, "the device's own key is damaged").WithCause(err)
	}
	return p256.Software(key), nil
}

// thumbprint names the device's certificate; "" = it has none.
func (d *Device) thumbprint() (string, error) {
	if len(d.id.Certificate) == 0 {
		return "", nil
	}
	var c sealed.Certificate
	if err := sealed.Peek(d.id.Certificate, sealed.MaxCertificate, c.Kind(), &c); err != nil {
		return "", err
	}
	return c.Thumbprint, nil
}

func (d *Device) nonce() ([]byte, error) {
	b := make([]byte, 16)
	if _, err := io.ReadFull(d.cfg.Random, b); err != nil {
		return nil, fmt.Errorf("draw a nonce: %w", err)
	}
	return b, nil
}
