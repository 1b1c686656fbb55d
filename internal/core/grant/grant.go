package grant

import (
	"crypto/hpke"
	"encoding/binary"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/cobblestone"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// infoName starts HPKE's info, so that no other use of a device's key can be
// taken for a grant.
const infoName = "waxwing/grant/v1"

// notAfterForm is how documents write times.
const notAfterForm = "2006-01-02T15:04:05Z"

// Info is what a grant is bound to. A device opens a grant with what it knows
// itself and what the grant's document says; if one of them differs from what
// the grant was made for, it does not open.
type Info struct {
	App        string
	Manifest   ota.Digest // SHA-256 of the manifest
	Epoch      uint32     // which content key; from 1
	Thumbprint ota.Digest // id of the device's signing key
	NotAfter   time.Time  // end of the grant, whole seconds
}

// Bytes is the info of HPKE: "waxwing/grant/v1", then app, manifest (32 bytes),
// epoch (4 bytes, big endian), thumbprint (32 bytes) and not_after (its text in
// the document), each behind its length in two bytes, big endian.
func (i Info) Bytes() ([]byte, error) {
	if err := ota.CheckAppID(i.App); err != nil {
		return nil, err
	}
	end := i.NotAfter.UTC()
	switch {
	case i.Manifest.IsZero():
		return nil, badInfo("manifest", "a grant is for one manifest")
	case i.Epoch == 0:
		return nil, badInfo("key_epoch", "key epochs start at 1")
	case i.Thumbprint.IsZero():
		return nil, badInfo("thumbprint", "a grant is for one device")
	case end.Nanosecond() != 0 || end.Year() < 1970 || end.Year() > 9999:
		return nil, badInfo("not_after", "the end of a grant is a whole second between 1970 and 9999")
	}
	out := append([]byte(nil), infoName...)
	for _, part := range [][]byte{
		[]byte(i.App), i.Manifest[:], binary.BigEndian.AppendUint32(nil, i.Epoch),
		i.Thumbprint[:], []byte(end.Format(notAfterForm)),
	} {
		out = binary.BigEndian.AppendUint16(out, uint16(len(part))) //nolint:gosec // an app id has at most 255 bytes
		out = append(out, part...)
	}
	return out, nil
}

func badInfo(field, why string) error { return ota.Invalid(CodeInfo, "%s", why).WithField(field) }

// Seal encrypts the content key to a device: enc has EncSize bytes, ct CTSize.
func Seal(to PublicKey, info Info, key cobblestone.Key) (enc, ct []byte, err error) {
	if to.k == nil || key.IsZero() {
		return nil, nil, ota.Invalid(CodeKey, "a grant needs a device's key and a content key")
	}
	bound, err := info.Bytes()
	if err != nil {
		return nil, nil, err
	}
	pub, err := hpke.NewDHKEMPublicKey(to.k)
	if err != nil {
		return nil, nil, failed(err)
	}
	_, kdf, aead := Suite()
	enc, sender, err := hpke.NewSender(pub, kdf, aead, bound)
	if err != nil {
		return nil, nil, failed(err)
	}
	if ct, err = sender.Seal(nil, key.Reveal()); err != nil {
		return nil, nil, failed(err)
	}
	return enc, ct, nil
}

// Open decrypts what Seal made for the same info. Which of key, info and bytes
// is wrong cannot be told.
func Open(key PrivateKey, info Info, enc, ct []byte) (cobblestone.Key, error) {
	var none cobblestone.Key
	if key.k == nil {
		return none, ota.Invalid(CodeKey, "there is no key to open a grant with")
	}
	if len(enc) != EncSize || len(ct) != CTSize {
		return none, ota.Invalid(CodeSize, "a grant has %d and %d bytes, not %d and %d", EncSize, CTSize, len(enc), len(ct))
	}
	bound, err := info.Bytes()
	if err != nil {
		return none, err
	}
	priv, err := hpke.NewDHKEMPrivateKey(key.k)
	if err != nil {
		return none, failed(err)
	}
	_, kdf, aead := Suite()
	recipient, err := hpke.NewRecipient(enc, priv, kdf, aead, bound)
	if err != nil {
		return none, notForUs(err)
	}
	plain, err := recipient.Open(nil, ct)
	if err != nil {
		return none, notForUs(err)
	}
	return cobblestone.KeyFrom(plain)
}

func notForUs(err error) error {
	return ota.Invalid(CodeClosed, "the grant does not open: it was made for another device, manifest or time, or it is damaged").
		WithHint("ask for a new grant").WithCause(err)
}
