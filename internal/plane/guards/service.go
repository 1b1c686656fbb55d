package guards

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Snapshot is what devices are answered from.
type Snapshot interface {
	App(id string) *decide.App // nil = there is none
	// Brake stops offers of a version on a channel, without the database.
	Brake(app, channel, version string, on bool)
}

// Halt asks that a decision be carried out and recorded.
type Halt struct {
	Actor   ota.Actor
	App     string
	Channel string
	Version string
	Action  ota.HaltAction
	Text    string
	Detail  *ota.GuardDecision // nil = a person asks
}

// Deps is what a Service stands on. All fields but Log and Kept are required.
type Deps struct {
	Store Store
	Snap  Snapshot
	// Halt takes a version back; it does nothing if the channel does not serve it.
	Halt func(ctx context.Context, h Halt) error
	// Opened records that a gate opened.
	Opened func(ctx context.Context, app, channel, version string, d ota.GuardDecision) error
	Kept   Kept      // nil = what is stopped and not recorded does not outlive the process
	Actor  ota.Actor // who acts
	Now    func() time.Time
	Log    *slog.Logger // nil = silent
}

// Service watches rollouts and releases. Its methods may be called by many
// goroutines.
type Service struct {
	store  Store
	snap   Snapshot
	halt   func(ctx context.Context, h Halt) error
	opened func(ctx context.Context, app, channel, version string, d ota.GuardDecision) error
	actor  ota.Actor
	now    func() time.Time
	log    *slog.Logger
	wake   chan struct{}
	holds  sync.WaitGroup // halts by hand that are being recorded
	kept   Kept

	keeping  sync.Mutex
	keptText string // what Kept holds; guarded by keeping

	mu      sync.Mutex
	watches map[key]*watch
	todo    []task         // what is to be carried out, oldest first
	doing   []task         // what is being carried out
	late    map[*Halt]Halt // halts by hand that are still being recorded, and nobody waits for
	halts   int64
}

// task is a decision that is to be carried out.
type task struct {
	key    key // zero = of a person
	halt   Halt
	seq    int64
	n      int
	braked bool
}

const (
	flushEvery  = time.Second
	retryEvery  = 2 * time.Second
	tellEvery   = time.Minute
	remember    = 8 * 24 * time.Hour // the longest health window and a day
	historyDays = 90
)

// New returns a service that does nothing until Load and Run.
func New(d Deps) *Service {
	s := &Service{
		store: d.Store, snap: d.Snap, halt: d.Halt, opened: d.Opened, actor: d.Actor, now: d.Now, log: d.Log, kept: d.Kept, late: map[*Halt]Halt{},
		wake: make(chan struct{}, 1), watches: map[key]*watch{},
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	return s
}

// Halts counts the halts since the start of the process.
func (s *Service) Halts() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.halts
}

func (s *Service) poke() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// End stores what is left, once nothing more is observed.
func (s *Service) End(ctx context.Context) {
	s.holds.Wait()
	s.tellAll()
	s.Work(ctx)
	s.Flush(ctx)
}

// Run stores what was observed and carries out what was decided until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	flush, retry, tell := time.NewTicker(flushEvery), time.NewTicker(retryEvery), time.NewTicker(tellEvery)
	defer flush.Stop()
	defer retry.Stop()
	defer tell.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.wake:
			s.Work(ctx)
			s.Flush(ctx)
		case <-retry.C:
			s.Work(ctx)
		case <-flush.C:
			s.Flush(ctx)
		case <-tell.C:
			s.tellAll()
		}
	}
}
