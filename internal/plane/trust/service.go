package trust

import (
	"context"
	"crypto/cipher"
	"io"
	"log/slog"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/driver/blob"
	"github.com/waxwing-ota/waxwing/internal/plane/snap"
)

// actor is who the record of changes names for what the server does by itself.
const actor ota.Actor = "system/trust"

// Certificates looks device certificates up.
type Certificates interface {
	// Certificate returns a certificate in force, by the digest of its envelope.
	Certificate(ctx context.Context, app string, digest ota.Digest) (Certificate, bool)
}

// Deps is what a Service stands on. All fields but those that say so are required.
type Deps struct {
	Store Store
	Blobs blob.Store
	Snap  *snap.Holder
	Log   Log
	Now   func() time.Time
	Rand  io.Reader // cryptographic
	Key   [32]byte  // the server's own secret for what is stored here
	Err   *slog.Logger

	// Certificates knows the devices that are enrolled; nil = none is.
	Certificates Certificates
	// Hold runs a function while no blob is collected as garbage.
	Hold func(fn func() error) error
	// Seen takes what a check shows of a device; nil = nobody wants to know.
	Seen func(Seen)

	TimestampTTL time.Duration // 0 = 24 h
	SnapshotTTL  time.Duration // 0 = 7 days
	PollAfter    time.Duration // what devices are told to wait; 0 = an hour
}

// Seen is what an answered check shows.
type Seen struct {
	App     string
	Check   *decide.Check
	Outcome *decide.Outcome
	Remote  string
	Proven  bool   // the device signed the check under its certificate
	Plugin  string // version of the device's own code
}

// Service publishes and answers. Its methods may be called by many goroutines.
type Service struct {
	Deps
	box    cipher.AEAD
	proofs *proofs

	mu    sync.Mutex // held while views are made
	views atomic.Pointer[map[string]*View]
}

// New returns a Service without views; call Load.
func New(d Deps) (*Service, error) {
	s := &Service{Deps: d, proofs: &proofs{log: d.Log, now: d.Now}}
	for v, def := range map[*time.Duration]time.Duration{&s.TimestampTTL: 24 * time.Hour, &s.SnapshotTTL: 7 * 24 * time.Hour, &s.PollAfter: time.Hour} {
		if *v <= 0 {
			*v = def
		}
	}
	if s.Hold == nil {
		s.Hold = func(fn func() error) error { return fn() }
	}
	s.views.Store(&map[string]*View{})
	var err error
	s.box, err = newBox(d.Key)
	return s, err
}

func (s *Service) nowMS() int64 { return s.Now().UnixMilli() }

// view returns what is in force for an app, nil if it has no root.
func (s *Service) view(app string) *View { return (*s.views.Load())[app] }

// Load reads what is in force for all apps.
func (s *Service) Load(ctx context.Context) error {
	apps, err := s.Store.TrustApps(ctx)
	if err != nil {
		return err
	}
	for _, app := range apps {
		if err := s.Refresh(ctx, app); err != nil {
			return err
		}
	}
	return nil
}

// Refresh reads what is in force for an app again.
func (s *Service) Refresh(ctx context.Context, app string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, err := s.load(ctx, app)
	if err != nil {
		return err
	}
	next := maps.Clone(*s.views.Load())
	if v == nil {
		delete(next, app)
	} else {
		next[app] = v
	}
	s.views.Store(&next)
	return nil
}
