package enrol

import (
	"context"

	"github.com/waxwing-ota/waxwing/internal/core/cobblestone"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Custody keeps the server's half of content keys: a private key that publishers
// seal the key of each epoch to.
type Custody interface {
	// Kind says how it is kept: server or age.
	Kind() string
	// Public is the point that publishers seal to.
	Public(ctx context.Context) ([]byte, error)
	// Open opens the key of an epoch.
	Open(ctx context.Context, app string, epoch int64, sealed []byte) (cobblestone.Key, error)
}

// Recipient says whom the keys of new epochs of an app are sealed to. That of a
// broker is in the app's trust.json, not here.
func (s *Service) Recipient(ctx context.Context, app string) (ota.SealedRecipient, error) {
	policy, err := s.Policy(ctx, app)
	if err != nil {
		return ota.SealedRecipient{}, err
	}
	if policy.Grants == ota.GrantsByBroker {
		return ota.SealedRecipient{App: app, Custody: string(ota.GrantsByBroker)}, nil
	}
	if s.Custody == nil {
		return ota.SealedRecipient{}, ota.Errorf(ota.KindUnavailable, CodeCustody, "this server keeps no content keys")
	}
	point, err := s.Custody.Public(ctx)
	if err != nil {
		return ota.SealedRecipient{}, err
	}
	return ota.SealedRecipient{App: app, Custody: string(ota.GrantsByServer), Kept: s.Custody.Kind(), HPKE: hexOf(point)}, nil
}
