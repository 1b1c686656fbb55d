package access

import (
	"context"

	"github.com/waxwing-ota/waxwing/internal/core/cobblestone"
	"github.com/waxwing-ota/waxwing/internal/core/grant"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
)

// Grant encrypts the content key of an epoch to a device that it was decided
// for, and signs the whole. The bytes are the same whoever makes them.
func Grant(ctx context.Context, a Allowed, epoch int64, key cobblestone.Key, signer p256.Signer) ([]byte, error) {
	if a.cert == nil {
		return nil, refuse(CodeCertificate, "nobody decided on this device")
	}
	manifest, err := ota.ParseDigest(a.manifest)
	if err != nil {
		return nil, err
	}
	thumbprint, err := ota.ParseDigest(a.cert.Thumbprint)
	if err != nil {
		return nil, err
	}
	to, err := grant.ParsePublic(a.cert.AgreeKey)
	if err != nil {
		return nil, err
	}
	if epoch < 1 || epoch > sealed.MaxEpoch {
		return nil, ota.Invalid(grant.CodeInfo, "there is no epoch %d", epoch).WithField("key_epoch")
	}
	info := grant.Info{App: a.cert.App, Manifest: manifest, Epoch: uint32(epoch), Thumbprint: thumbprint, NotAfter: a.notAfter.Time}
	enc, ct, err := grant.Seal(to, info, key)
	if err != nil {
		return nil, err
	}
	doc := sealed.Grant{
		App: a.cert.App, Manifest: a.manifest, KeyEpoch: epoch, Thumbprint: a.cert.Thumbprint, NotAfter: a.notAfter,
		Enc: enc, CT: ct, Issuer: signer.Public().ID(),
	}
	if err := sealed.SignBody(ctx, &doc, signer); err != nil {
		return nil, err
	}
	return sealed.Encode(&doc)
}
