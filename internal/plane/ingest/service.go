package ingest

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/snap"
)

// Snapshot is what devices are answered from; *snap.Holder is one.
type Snapshot interface {
	App(id string) *decide.App // nil = there is none
	PatchFacts(app string, changes []snap.FactsChange)
}

// Deps is what a Service stands on. All fields but those that say so are required.
type Deps struct {
	Store Store
	Snap  Snapshot
	Halt  func(ctx context.Context, h Halt) error // nil = releases are not watched
	// Observe is told what commits brought to light, one call at a time, after the
	// commit and never while a device waits. It owns what it is given. nil = nobody.
	Observe func(ctx context.Context, v Observed)
	Now     func() time.Time
	Log     *slog.Logger // nil = silent
	// Fault finds the group of an event that reports an error; nil = errors are
	// not tracked. view is the app's snapshot.
	Fault func(ctx context.Context, app string, view *decide.App, e *ota.Event) *ota.Fault
	// SignedOnly reports whether only signed reports count for a version of an app;
	// nil = all reports count.
	SignedOnly func(app, version string) bool

	// MaxWait is how long Record waits for its turn and its commit before it
	// gives up; 0 = 5 s.
	MaxWait time.Duration
	// MaxQueue is how many events may wait for a commit; large metadata counts
	// as more than one. 0 = 16,384.
	MaxQueue int
}

const (
	// MaxReports is how many reports one Record takes.
	MaxReports = 1000

	maxCommit    = 2000                   // events of one transaction, give or take a call
	maxNotes     = 8192                   // device rows from checks that may wait
	notesAtOnce  = 250                    // of them written per turn
	notesEvery   = 250 * time.Millisecond // with notesAtOnce: so that a flood of new devices leaves the processor to their checks
	countsEvery  = 15 * time.Second
	sweepEvery   = time.Minute
	sweepAtOnce  = 250 // silent devices of one turn
	metadataUnit = 512 // bytes of metadata that weigh as one more event
)

// Service takes in reports and notes. Its methods may be called by many
// goroutines; Run must be running for Record and Flush to return.
type Service struct {
	store    Store
	snap     Snapshot
	now      func() time.Time
	log      *slog.Logger
	fault    func(ctx context.Context, app string, view *decide.App, e *ota.Event) *ota.Fault
	maxWait  time.Duration
	maxQueue int64

	signedOnly func(app, version string) bool

	room    *semaphore.Weighted // what may wait for a commit
	calls   chan *call
	flushes chan chan error
	ended   chan struct{} // closed when Run has drained

	notes    chan *DeviceRow // device rows from checks; pointers, since the queue is nearly always empty
	recent   *recent
	tally    *tally
	traffic  traffic
	counters counters
	watch    *watch
	observe  *observer

	stats struct {
		events, duplicates, commits, failed, refused, notesLost, halts atomic.Int64
	}

	// What follows belongs to the goroutine of Run.
	batch   Batch
	turn    []*call
	pending Batch // notes and counts taken out of their queues, not yet written
	counted time.Time
	failing bool
	swept   time.Time             // when silent devices were looked for
	overdue bool                  // more of them were found than one sweep takes
	told    map[unstored]struct{} // failures handed on that could not be stored
}

// New returns a Service that does nothing until Run.
func New(d Deps) *Service {
	s := &Service{
		store: d.Store, snap: d.Snap, now: d.Now, log: d.Log, maxWait: d.MaxWait, maxQueue: int64(d.MaxQueue),
		flushes: make(chan chan error), ended: make(chan struct{}),
		notes: make(chan *DeviceRow, maxNotes), recent: newRecent(), tally: newTally(),
	}
	s.fault, s.signedOnly = d.Fault, d.SignedOnly
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.maxWait <= 0 {
		s.maxWait = 5 * time.Second
	}
	if s.maxQueue <= 0 {
		s.maxQueue = 16_384
	}
	s.room = semaphore.NewWeighted(s.maxQueue)
	s.calls = make(chan *call, s.maxQueue) // every call weighs at least one, so sending never waits
	s.observe = newObserver(d.Observe)
	s.watch = newWatch(s, d.Halt)
	return s
}

// Run stores what comes until ctx ends, then what is still waiting, and
// returns. What is recorded later is refused. The error tells of notes that
// could not be written at the end.
func (s *Service) Run(ctx context.Context) error {
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		s.watch.run(ctx)
	}()
	store := context.WithoutCancel(ctx)
	defer func() {
		<-watched
		s.observe.deliver(store) // what the last writes brought
	}()
	defer close(s.ended)

	tick := time.NewTicker(notesEvery)
	defer tick.Stop()
	s.counted = s.now()
	for {
		select {
		case c := <-s.calls:
			s.commit(store, c)
		case <-tick.C:
			s.writeSome(store)
		case done := <-s.flushes:
			done <- s.writeAll(store)
		case <-ctx.Done():
			return s.writeAll(store)
		}
	}
}

// Flush returns when all that was offered or recorded before the call is in
// the database.
func (s *Service) Flush(ctx context.Context) error {
	done := make(chan error, 1)
	select {
	case s.flushes <- done:
	case <-s.ended:
		return nil // Run wrote everything when it ended
	case <-ctx.Done():
		return gaveUp(ctx)
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return gaveUp(ctx)
	}
}

// Stats counts since the start of the process.
type Stats struct {
	Events     int64 // stored
	Duplicates int64 // dropped because they were stored already
	Commits    int64 // transactions that stored events
	Failed     int64 // transactions that failed
	Refused    int64 // calls of Record turned away because too much was waiting
	NotesLost  int64 // notes of checks dropped because too much was waiting
	Uncounted  int64 // checks missing from the counts
	Halts      int64 // releases taken back without a person
	Unobserved int64 // observations that whoever is told of them was too slow for
	Waiting    int   // notes of checks that wait to be written
}

// Stats returns the counts so far.
func (s *Service) Stats() Stats {
	return Stats{
		Events: s.stats.events.Load(), Duplicates: s.stats.duplicates.Load(), Commits: s.stats.commits.Load(),
		Failed: s.stats.failed.Load(), Refused: s.stats.refused.Load(), NotesLost: s.stats.notesLost.Load(),
		Uncounted: s.tally.lost.Load(), Halts: s.stats.halts.Load(), Waiting: len(s.notes),
		Unobserved: s.observe.dropped(),
	}
}

func overloaded() *ota.Error {
	return ota.Errorf(ota.KindUnavailable, "overloaded", "too many reports are waiting to be stored").
		WithHint("send them again in a little while; a report that was stored already is not stored twice")
}

func gaveUp(ctx context.Context) error {
	return ota.Errorf(ota.KindUnavailable, "gave_up", "the caller stopped waiting").WithCause(context.Cause(ctx))
}
