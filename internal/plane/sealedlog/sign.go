package sealedlog

import (
	"context"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/tilelog"
)

// Sign signs what writers added since the last checkpoint. Without witnesses that
// must cosign it is published at once. It fails with sealed_log_behind or
// sealed_log_damaged rather than sign what contradicts an earlier checkpoint.
func (s *Service) Sign(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	size, err := s.store.SealedSize(ctx)
	if err != nil {
		return err
	}
	last, err := s.store.SealedCheckpoint(ctx, false)
	if err != nil || last.Size == size {
		return err
	}
	if err := s.continues(ctx, last, size); err != nil {
		return err
	}
	root, err := tilelog.RootOf(size, s.hashes(ctx))
	if err != nil {
		return err
	}
	signed, err := s.signer.Both(ctx, s.p256, size, root)
	if err != nil {
		return err
	}
	if err := s.store.PutSealedCheckpoint(ctx, size, signed, s.now().UnixMilli(), s.threshold == 0); err != nil {
		return err
	}
	s.Wake()
	return nil
}

// continues checks that the log of size entries begins with the log that was
// signed last.
func (s *Service) continues(ctx context.Context, last ota.AuditCheckpoint, size int64) error {
	if last.Size < 0 {
		return nil
	}
	if last.Size > size {
		return ota.Errorf(ota.KindUnavailable, "sealed_log_behind", "the log of sealed updates has %d entries, but %d were signed before", size, last.Size).
			WithHint("entries were removed from the database: restore a backup that has them")
	}
	was, err := tilelog.Open(last.Note, s.own...)
	if err != nil {
		return ota.Errorf(ota.KindUnavailable, "sealed_log_damaged", "the last checkpoint in the database is not one that this server signed").WithCause(err)
	}
	root, err := tilelog.RootOf(last.Size, s.hashes(ctx))
	if err != nil {
		return err
	}
	if was.Root != root || was.Size != last.Size {
		return ota.Errorf(ota.KindUnavailable, "sealed_log_damaged", "the log of sealed updates in the database does not begin with what was signed").
			WithHint("somebody changed the database behind the server's back: keep a copy of it, then restore a backup")
	}
	return nil
}

// Wake has Run look at once. It may be called from anywhere and never waits.
func (s *Service) Wake() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// again is how soon witnesses that did not cosign are asked anew.
const again = 10 * time.Second

// Run signs what is added and asks the witnesses, until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	tick := time.NewTicker(again)
	defer tick.Stop()
	for {
		if err := s.rules(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("rules cannot be put into the log of sealed updates", "err", err)
		}
		if err := s.Sign(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("the log of sealed updates cannot be signed", "code", ota.CodeOf(err), "err", err)
		} else if err := s.cosign(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("a cosigned checkpoint cannot be stored", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-s.wake:
		case <-tick.C:
		}
	}
}
