package device

import (
	"encoding/base64"
	"encoding/hex"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/seal"
)

// opened is what an answer says about a bundle, after its signatures were checked.
type opened struct {
	files   bool          // it comes as single files
	session *seal.Session // nil = not encrypted
	sum     ota.Digest    // of the plain zip; zero if it comes as files
}

// unseal checks everything of an answer that can be checked before a byte of
// the bundle is fetched. An app with a key takes nothing that is not signed
// with it; one without takes nothing that is encrypted.
func (d *Device) unseal(a *Answer) (opened, error) {
	o := opened{files: len(a.Manifest) > 0 && d.traits.manifest}
	if d.key != nil {
		iv, key, ok := strings.Cut(a.SessionKey, ":")
		if !ok || iv == "" || key == "" || strings.Contains(key, ":") {
			return o, refuse(CodeSessionKey, "version %s comes without a session key, and the app takes signed bundles only", a.Version)
		}
	}
	if !o.files && a.Checksum == "" {
		return o, refuse(CodeNoChecksum, "version %s comes without a checksum", a.Version)
	}
	if d.key == nil {
		return o, d.plainSum(a, &o)
	}
	s, err := d.key.OpenSession(a.SessionKey)
	if err != nil {
		return o, refuse(CodeDecrypt, "the session key of version %s was not made with this app's key", a.Version).WithCause(err)
	}
	o.session = &s
	if o.files && !d.traits.looseSum {
		return o, nil
	}
	return o, d.signedSum(a, &o)
}

// plainSum reads the checksum of an unencrypted zip. Upper case is refused, as
// both platforms compare text.
func (d *Device) plainSum(a *Answer, o *opened) error {
	if a.SessionKey != "" {
		return refuse(CodeKeyMissing, "version %s is encrypted, and the app has no key", a.Version)
	}
	if o.files {
		return nil
	}
	sum := a.Checksum
	if d.cfg.Platform == Electron {
		sum = strings.ToLower(sum)
	}
	v, err := ota.ParseDigest(sum)
	if err != nil {
		return refuse(CodeChecksum, "the checksum of version %s is not lower-case hex of a SHA-256", a.Version)
	}
	o.sum = v
	return nil
}

// signedSum opens the checksum of an encrypted zip. The Electron client's is
// not signed: it is that of the stored bytes.
func (d *Device) signedSum(a *Answer, o *opened) error {
	var err error
	switch {
	case d.cfg.Platform == Electron:
		o.sum, err = ota.ParseDigest(strings.ToLower(a.Checksum))
	case !d.traits.hexSums:
		o.sum, err = d.key.OpenHashV2(a.Checksum)
	default:
		o.sum, err = d.key.OpenHash(hexSum(a.Checksum))
	}
	if err != nil {
		return refuse(CodeChecksum, "the checksum of version %s was not signed with this app's key", a.Version).WithCause(err)
	}
	return nil
}

// hexSum turns the base64 form of a signed checksum, which the plugin takes as
// well, into the hex form.
func hexSum(s string) string {
	if b, err := base64.StdEncoding.Strict().DecodeString(s); err == nil && len(b) == 256 {
		return hex.EncodeToString(b)
	}
	return s
}
