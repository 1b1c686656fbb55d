package ingest

import (
	"context"
	"runtime"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/snap"
)

// call is one Record that waits for its commit.
type call struct {
	events  []EventRow
	devices []DeviceRow
	weight  int64
	done    chan error // has room for the one answer
}

// Record stores reports of an app's devices and returns when they survive a
// power cut and the versions that failed are no longer offered to the devices
// they failed on. Reports that were stored before are dropped, without an error.
//
// If it cannot (the database fails, too much is waiting, the service ends), the
// error is of KindUnavailable and the reports are to be sent again; some or all
// may have been stored. An app without a snapshot is KindNotFound, more than
// MaxReports reports KindTooLarge.
func (s *Service) Record(ctx context.Context, app string, reports []Report) error {
	if len(reports) == 0 {
		return nil
	}
	if len(reports) > MaxReports {
		return ota.Errorf(ota.KindTooLarge, "too_many_reports", "%d reports at once, at most %d are taken", len(reports), MaxReports).
			WithHint("send them in several requests")
	}
	view := s.snap.App(app)
	if view == nil {
		return ota.NotFound("app_not_found", "there is no app %q", app).WithField("app_id")
	}
	events, devices := prepare(app, view, reports, s.now().UnixMilli(), s.signedOnly)
	s.faults(ctx, app, view, events)
	c := &call{events: events, devices: devices, done: make(chan error, 1)}
	c.weight = min(weigh(reports), s.maxQueue)

	turn, cancel := context.WithTimeout(ctx, s.maxWait)
	defer cancel()
	if err := s.room.Acquire(turn, c.weight); err != nil {
		return s.refuse(ctx)
	}
	s.calls <- c
	select {
	case err := <-c.done:
		return err
	case <-turn.Done():
	case <-s.ended:
	}
	return s.late(ctx, turn, c)
}

// weigh returns what reports take up while they wait.
func weigh(reports []Report) int64 {
	w := int64(len(reports))
	for i := range reports {
		bytes := 0
		for k, v := range reports[i].Event.Metadata {
			bytes += len(k) + len(v)
		}
		w += int64(bytes / metadataUnit)
	}
	return w
}

// late answers a call whose turn, or the service, ended. If its commit came
// at the same time, that is the answer.
func (s *Service) late(ctx, turn context.Context, c *call) error {
	select {
	case err := <-c.done:
		return err
	default:
	}
	if turn.Err() != nil {
		return s.refuse(ctx)
	}
	return ota.Errorf(ota.KindUnavailable, "stopping", "the server is stopping").
		WithHint("send the reports again in a little while")
}

// refuse tells why a call of ctx was not served in time.
func (s *Service) refuse(ctx context.Context) error {
	if ctx.Err() != nil {
		return gaveUp(ctx)
	}
	s.stats.refused.Add(1)
	return overloaded()
}

// commit stores first and the calls that wait behind it in one transaction,
// and returns how many calls these were.
func (s *Service) commit(ctx context.Context, first *call) int {
	s.collect(first)
	if hurts(s.batch.Events) {
		s.writeNotes(ctx)
	}
	out, err := s.store.Write(ctx, &s.batch)
	if err != nil {
		s.stats.failed.Add(1)
		s.trouble(ctx, err)
		s.observeUnstored(s.batch.Events)
		err = unavailable(err)
	} else {
		s.settle(&s.batch, out)
		s.recovered(ctx)
	}
	for _, c := range s.turn {
		s.room.Release(c.weight)
		c.done <- err
	}
	n := len(s.turn)
	clear(s.turn) // so that nothing that was written stays in memory
	clear(s.batch.Events)
	clear(s.batch.Devices)
	s.turn, s.batch.Events, s.batch.Devices = s.turn[:0], s.batch.Events[:0], s.batch.Devices[:0]
	return n
}

// hurts reports whether an event tells of a failure.
func hurts(events []EventRow) bool {
	for i := range events { // rows are large: none is copied
		if events[i].Hurts || events[i].Fails {
			return true
		}
	}
	return false
}

// collect gathers the calls of one transaction. Callers that were just
// answered, or have just been read from the network, get one chance to run
// first: a commit costs the same for one call and for many.
func (s *Service) collect(c *call) {
	for waited := false; ; {
		if c != nil {
			s.turn = append(s.turn, c)
			s.batch.Events = append(s.batch.Events, c.events...)
			s.batch.Devices = append(s.batch.Devices, c.devices...)
		}
		if len(s.batch.Events) >= maxCommit {
			return
		}
		select {
		case c = <-s.calls:
		default:
			if waited {
				return
			}
			waited, c = true, nil
			runtime.Gosched()
		}
	}
}

// settle makes everyone else see what was just committed.
func (s *Service) settle(b *Batch, out Written) {
	stored := int64(0)
	changes := map[string][]snap.FactsChange{}
	for i := range b.Events {
		e := &b.Events[i]
		if !out.Stored[i] {
			continue
		}
		stored++
		if e.Fails {
			changes[e.App] = append(changes[e.App], snap.FactsChange{Device: e.Device, AddFailed: []string{e.Version}})
		}
	}
	for _, d := range out.Dropped {
		changes[d.App] = append(changes[d.App], snap.FactsChange{Device: d.Device, ClearFailed: []string{d.Version}})
	}
	for app, ch := range changes {
		s.snap.PatchFacts(app, ch)
	}
	for i := range b.Devices {
		if d := &b.Devices[i]; d.Reach != Touch {
			s.recent.forget(d.App, d.ID)
		}
	}
	s.observe.add(Observed{Exposed: out.Exposed, Moves: out.Moves, Failing: out.Failing, Strange: strange(b.Events, out.Stored)})
	s.watch.notice(b.Events, out.Stored)
	s.counters.stored(b.Events, out.Stored)
	s.stats.events.Add(stored)
	s.stats.duplicates.Add(int64(len(b.Events)) - stored)
	s.stats.commits.Add(1)
}

// unavailable makes a failure of the store one that is worth another try.
func unavailable(err error) error {
	if ota.KindOf(err) == ota.KindUnavailable {
		return err
	}
	return ota.Errorf(ota.KindUnavailable, "store_failed", "reports cannot be stored now").
		WithHint("send them again in a little while").WithCause(err)
}
