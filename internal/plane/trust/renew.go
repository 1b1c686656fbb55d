package trust

import (
	"context"
	"errors"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// renewEvery is how often it is looked what must be signed anew.
const renewEvery = time.Minute

// Run renews what the server signs until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	tick := time.NewTicker(renewEvery)
	defer tick.Stop()
	for {
		if err := s.Renew(ctx); err != nil && ctx.Err() == nil {
			s.Err.Error("renewing signed metadata failed", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Renew signs the snapshots and timestamps anew of which half the time is over,
// so that a server that stands still for hours comes back in time.
func (s *Service) Renew(ctx context.Context) error {
	var errs []error
	for app, v := range *s.views.Load() {
		if what := s.due(v.now); what != "" {
			errs = append(errs, s.renew(ctx, app))
		}
	}
	return errors.Join(errs...)
}

// due says which role must be signed anew; "" = none.
func (s *Service) due(now map[string]*Document) string {
	soon := func(role string, ttl time.Duration) bool {
		d := now[role]
		return d != nil && d.ExpiresAt-s.nowMS() < int64(ttl/time.Millisecond)/2
	}
	switch {
	case now[ota.TrustRoleTargets] == nil:
		return ""
	case soon(ota.TrustRoleSnapshot, s.SnapshotTTL):
		return ota.TrustRoleSnapshot
	case soon(ota.TrustRoleTimestamp, s.TimestampTTL):
		return ota.TrustRoleTimestamp
	}
	return ""
}

func (s *Service) renew(ctx context.Context, app string) error {
	err := s.Store.Update(ctx, actor, s.nowMS(), func(tx Tx) (ota.Change, error) {
		a, err := tx.App(ctx, app)
		if err != nil {
			return ota.Change{}, err
		}
		p, err := readPapers(ctx, tx, app)
		if err != nil {
			return ota.Change{}, err
		}
		what := s.due(p.now)
		if what == "" {
			return ota.Change{}, nil
		}
		if p.keys, err = s.readKeys(ctx, tx, app); err != nil {
			return ota.Change{}, err
		}
		made, err := p.issue(ctx, app, s.Now(), s.SnapshotTTL, s.TimestampTTL, what)
		if err != nil {
			return ota.Change{}, err
		}
		detail := map[string]any{}
		for _, d := range made {
			if err := tx.PutTrustDocument(ctx, *d); err != nil {
				return ota.Change{}, err
			}
			if d.Role == ota.TrustRoleSnapshot {
				if err := tx.AppendSealedLeaf(ctx, LeafMetadata, d.SHA256); err != nil {
					return ota.Change{}, err
				}
			}
			detail[d.Role] = d.Version
		}
		return ota.Change{Action: "trust.renew", App: app, Org: a.Org, Object: app, Detail: ota.JSON(detail)}, nil
	})
	if err != nil {
		return err
	}
	return s.Refresh(ctx, app)
}
