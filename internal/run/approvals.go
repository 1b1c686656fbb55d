package run

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// sweeper closes, every minute, requests for approval that do not hold any more.
type sweeper struct {
	sweep func(context.Context) (int, error)
	log   *slog.Logger
}

func (w *sweeper) run(ctx context.Context) error {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if _, err := w.sweep(ctx); err != nil && ctx.Err() == nil {
				w.log.Error("closing old requests for approval failed", "err", err)
			}
		}
	}
}

// mayApprove reports whether a person may approve on a channel now, by the same
// rule as every request.
func (s *Server) mayApprove(ctx context.Context, person int64, app, channel string) (bool, error) {
	grants, err := s.db.EffectiveGrants(ctx, ota.SubjectUser, person)
	if err != nil || len(grants) == 0 {
		return false, err
	}
	p := ota.Principal{Kind: ota.PrincipalUser, ID: person, Person: person, Grants: grants}
	err = s.access.Authorize(ctx, p, "approval.approve", ota.Resource{Scope: ota.Scope{App: app, Channel: channel}})
	switch ota.KindOf(err) {
	case ota.KindForbidden, ota.KindNotFound:
		return false, nil
	default:
		return err == nil, err
	}
}

// needsAssertion reports whether a person has a passkey, and so must sign with it
// what they approve.
func (s *Server) needsAssertion(ctx context.Context, person int64) (bool, error) {
	m, err := s.identity.Methods(ctx, person)
	return len(m.Passkeys) > 0, err
}

// assert checks a passkey's signature over a digest.
func (s *Server) assert(ctx context.Context, person int64, digest ota.Digest, response json.RawMessage) error {
	return s.identity.FinishAssertion(ctx, person, digest, response)
}

// challenge begins one.
func (s *Server) challenge(ctx context.Context, person int64, digest ota.Digest) (json.RawMessage, error) {
	return s.identity.BeginAssertion(ctx, person, digest)
}
