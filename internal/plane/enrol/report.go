package enrol

import (
	"context"
	"hash/maphash"
	"net/netip"
	"sync"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
)

// stageOf numbers the stages that a device has one vote on each.
func stageOf(event string) (stage uint, ok bool) {
	for i, e := range [...]string{
		sealed.EventOffered, sealed.EventDownloaded, sealed.EventVerified, sealed.EventInstalled,
		sealed.EventHealthy, sealed.EventFailed, sealed.EventRolledBack,
	} {
		if e == event {
			return uint(i), true
		}
	}
	return 0, false
}

// Report takes what a device reports under its key. A report that came before,
// late, or on a stage that the device had its vote on, changes nothing and is no
// error: the device need not send it again.
func (s *Service) Report(ctx context.Context, app string, body []byte, from netip.Addr) error {
	err := s.report(ctx, app, body, from)
	s.count(app, askReport, err)
	return err
}

func (s *Service) report(ctx context.Context, app string, body []byte, from netip.Addr) error {
	if err := s.rates.allow(askReport, app, from, s.Now()); err != nil {
		return err
	}
	var r sealed.Report
	if err := sealed.Peek(body, sealed.MaxReport, r.Kind(), &r); err != nil {
		return err
	}
	unknown := ota.Errorf(ota.KindUnauthorized, CodeReport, "the report is not signed by an enrolled device of this app").WithHint("enrol anew")
	row, err := s.Store.SealedDevice(ctx, app, r.Thumbprint)
	if ota.KindOf(err) == ota.KindNotFound {
		return unknown
	}
	if err != nil {
		return err
	}
	keys := map[string]p256.Key{row.Thumbprint: row.SignKey}
	if err := sealed.Open(body, sealed.MaxReport, keys, 1, r.Kind(), &r); err != nil {
		return unknown.WithCause(err)
	}
	if r.App != app || r.Device != row.Device || r.Thumbprint != row.Thumbprint {
		return unknown
	}
	if row.Revoked {
		return ota.Errorf(ota.KindForbidden, CodeRevoked, "the device was revoked")
	}
	manifest, err := ota.ParseDigest(r.Manifest)
	if err != nil {
		return err
	}
	release, err := s.Published(ctx, app, manifest)
	if err != nil {
		return err
	}
	stage, ok := stageOf(r.Event)
	if !ok || release.Seq != r.Seq {
		return ota.Invalid(CodeReport, "the report is about number %d, and the manifest has %d", r.Seq, release.Seq).WithField("seq")
	}
	return s.vote(ctx, app, &row, &r, &release, stage, from)
}

// vote lets a report count once. It is recorded before its number is taken: if
// the server ends in between, the device sends it again, and what records it
// knows it by its mark.
func (s *Service) vote(ctx context.Context, app string, row *Row, r *sealed.Report, release *Release, stage uint, from netip.Addr) error {
	unlock := s.reports.lock(app + "\x00" + r.Device)
	defer unlock()
	now, err := s.Store.SealedDevice(ctx, app, row.Thumbprint)
	if err != nil {
		return err
	}
	if r.N <= now.Reports {
		return nil
	}
	voted, err := s.Store.SealedVoted(ctx, app, r.Device, r.Seq, stage)
	if err != nil {
		return err
	}
	if !voted {
		err := s.Record(ctx, app, Report{
			Device: r.Device, Platform: row.Platform, Version: release.Version, Event: r.Event, Reason: r.Reason,
			At: r.At.UnixMilli(), Mark: markOf(r), From: from,
		})
		if err != nil {
			return err
		}
	}
	return s.Store.TakeReport(ctx, app, row.Thumbprint, r.Device, r.N, r.Seq, stage)
}

// markOf names the vote, not its wording: nobody else can make an event of it,
// since only signed reports have such marks.
func markOf(r *sealed.Report) ota.Digest {
	b, err := sealed.Encode(r)
	if err != nil {
		return ota.Digest{}
	}
	return ota.Sum(b)
}

// stripes lets one report of a device be taken at a time.
type stripes struct {
	seed  maphash.Seed
	once  sync.Once
	locks [256]sync.Mutex
}

func (s *stripes) lock(of string) (unlock func()) {
	s.once.Do(func() { s.seed = maphash.MakeSeed() })
	m := &s.locks[maphash.String(s.seed, of)%uint64(len(s.locks))]
	m.Lock()
	return m.Unlock
}
