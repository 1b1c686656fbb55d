package ingest

import (
	"context"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Seen is what an answered update check shows: how the device describes itself,
// and what it was told. Without Offered and Code it only describes the device,
// as calls other than checks do; with an empty Device.VersionName not even what
// the device runs.
type Seen struct {
	App     string
	Device  ota.Device
	Channel string // the server's own name of the channel; "" = none was found
	Kind    decide.Kind
	Code    string // why; "" for an update or a revert
	Offered string // the version offered or refused

	Rollout string // the channel's rollout that the device takes part in; "" = none
	Arm     decide.Arm
	Network uint32 // see [Report]
	Signed  bool   // the device proved who it is
}

// Offer notes an answered check. It never waits; when too much is waiting the
// note is lost, and counted as lost. A crash loses the last seconds.
func (s *Service) Offer(v Seen) {
	now := s.now().UnixMilli()
	// Both tables are larger than a core's cache. The places are found first and
	// looked at then, so that the core fetches both at once.
	key := keyOf(&v)
	hash := s.tally.hash(&key)
	set, word := s.recent.look(&v, uint64(now)/60_000)
	fresh := set.fresh(word)
	if v.Offered != "" || v.Code != "" {
		s.tally.add(&key, hash)
	}
	if fresh {
		return
	}
	row := &DeviceRow{Device: v.Device, Reach: Running, Checked: true}
	row.App, row.LastSeen = v.App, now
	row.Told = Told{Channel: v.Channel, Offered: given(&v), Rollout: v.Rollout, Arm: v.Arm, Network: v.Network, Signed: v.Signed}
	if row.VersionName == "" {
		row.Reach = Info
	}
	select {
	case s.notes <- row:
	default:
		s.recent.forget(v.App, v.Device.ID)
		s.stats.notesLost.Add(1)
	}
}

// given returns the version that a check's answer makes the device run; "" = none.
func given(v *Seen) string {
	if v.Kind == decide.Update || v.Kind == decide.Revert {
		return v.Offered
	}
	return ""
}

// keyOf returns what the check is counted by. Where the version is whatever
// the device claims to run, it is left out: nobody but the operator decides how
// many counts there are.
func keyOf(v *Seen) checkKey {
	k := checkKey{app: v.App, channel: v.Channel, code: v.Code, version: v.Offered, kind: v.Kind}
	if v.Kind == decide.UpToDate || v.Kind == decide.Failed {
		k.version = ""
	}
	return k
}

// writeSome writes some of the notes that wait, and the counts when it is time.
func (s *Service) writeSome(ctx context.Context) {
	s.takeNotes(notesAtOnce)
	if now := s.now(); now.Sub(s.counted) >= countsEvery || now.Before(s.counted) {
		s.takeCounts(now)
	}
	if err := s.writePending(ctx); err != nil {
		s.trouble(ctx, err)
	}
	s.sweep(ctx)
}

// writeNotes stores the notes that wait. A device may fail within milliseconds
// of an offer: what it was told must be known before what came of it, or its
// failure would belong to nobody.
func (s *Service) writeNotes(ctx context.Context) {
	s.takeNotes(maxNotes)
	if err := s.writePending(ctx); err != nil {
		s.trouble(ctx, err)
	}
}

// writeAll stores all that waits now, and whatever of the rest comes along.
func (s *Service) writeAll(ctx context.Context) error {
	for n := len(s.calls); n > 0; {
		n -= s.commit(ctx, <-s.calls)
	}
	s.takeCounts(s.now())
	for n := len(s.notes); ; {
		had := len(s.pending.Devices)
		s.takeNotes(max(notesAtOnce, had))
		n -= len(s.pending.Devices) - had
		if err := s.writePending(ctx); err != nil {
			s.trouble(ctx, err)
			return unavailable(err)
		}
		if n <= 0 {
			return nil
		}
	}
}

// takeNotes moves notes from their queue to pending, until that holds n.
func (s *Service) takeNotes(n int) {
	for len(s.pending.Devices) < n {
		select {
		case row := <-s.notes:
			row.Print = printOf(&row.Device)
			s.complete(row)
			row.Published = owned(s.snap.App(row.App), row.VersionName)
			s.pending.Devices = append(s.pending.Devices, *row)
		default:
			return
		}
	}
}

// takeCounts moves the counts to pending, unless some are waiting there.
func (s *Service) takeCounts(now time.Time) {
	if len(s.pending.Checks)+len(s.pending.Traffic) == 0 {
		s.pending.Checks = s.tally.drain(nil, now.Truncate(time.Minute).UnixMilli())
		s.counters.answered(s.pending.Checks)
		s.pending.Traffic = s.traffic.drain(now.UnixMilli())
		s.counted = now
	}
}

// writePending writes what was taken; after an error it stays for another try.
func (s *Service) writePending(ctx context.Context) error {
	if len(s.pending.Devices)+len(s.pending.Checks)+len(s.pending.Traffic) == 0 {
		return nil
	}
	out, err := s.store.Write(ctx, &s.pending)
	if err != nil {
		s.stats.failed.Add(1)
		return err
	}
	s.observe.add(Observed{Exposed: out.Exposed, Moves: out.Moves, Failing: out.Failing})
	clear(s.pending.Devices)
	s.pending.Devices, s.pending.Checks, s.pending.Traffic = s.pending.Devices[:0], nil, nil
	s.recovered(ctx)
	return nil
}

// trouble logs that the store began to fail; recovered, that it works again.
// What happens in between is not worth a line each.
func (s *Service) trouble(ctx context.Context, err error) {
	if !s.failing {
		s.failing = true
		s.log.ErrorContext(ctx, "reports of devices cannot be stored", "err", err)
	}
}

func (s *Service) recovered(ctx context.Context) {
	if s.failing {
		s.failing = false
		s.told = nil
		s.log.InfoContext(ctx, "reports of devices are stored again")
	}
}
