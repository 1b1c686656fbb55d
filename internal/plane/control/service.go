package control

import (
	"context"
	"encoding/json"
	"io"
	"sync"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/driver/blob"
	"github.com/waxwing-ota/waxwing/internal/plane/snap"
)

// Deps is what a Service stands on. All fields but those that say so are required.
type Deps struct {
	Store Store
	Blobs blob.Store
	Snap  *snap.Holder
	Now   func() time.Time
	Rand  io.Reader // cryptographic

	// Flush makes what devices reported so far visible to Devices and Events;
	// nil = nothing is ever waiting.
	Flush func(ctx context.Context) error

	// MayApprove reports whether a person may approve what concerns a channel
	// now; nil = nobody may.
	MayApprove func(ctx context.Context, person int64, app, channel string) (bool, error)
	// NeedsAssertion reports whether a person has a passkey and so must sign what
	// they approve, Assert checks such a signature over the digest, Challenge
	// begins one. nil = there are no passkeys.
	NeedsAssertion func(ctx context.Context, person int64) (bool, error)
	Assert         func(ctx context.Context, person int64, digest ota.Digest, response json.RawMessage) error
	Challenge      func(ctx context.Context, person int64, digest ota.Digest) (json.RawMessage, error)
	// MayRevoke reports whether somebody may revoke a token; nil = nobody may.
	MayRevoke func(p ota.Principal, t ota.Token) bool
	// ConsoleURL is where people find the console, without a slash at the end;
	// "" = links are paths of the server.
	ConsoleURL string

	// Rules are the ids of the scan's rules, for policies. ScanAsked hears that
	// there is a bundle to scan; nil = nobody does.
	Rules     []string
	ScanAsked func()

	// MayServe reports why a bundle must not be put on a channel that gives others
	// now, by their ids: devices of sealed updates would refuse it. nil = it always may.
	MayServe func(app string, bundle int64, running ...int64) error

	MaxBlob        int64         // bytes of one blob; 0 = 1 GiB
	Retention      time.Duration // how long history keeps its bundles; 0 = 90 days
	EventRetention time.Duration // how long events are kept; 0 = 90 days
}

// Service carries out changes. Its methods may be called by many goroutines.
type Service struct {
	store Store
	blobs blob.Store
	snap  *snap.Holder
	now   func() time.Time
	rand  io.Reader
	flush func(ctx context.Context) error

	mayApprove     func(ctx context.Context, person int64, app, channel string) (bool, error)
	needsAssertion func(ctx context.Context, person int64) (bool, error)
	assert         func(ctx context.Context, person int64, digest ota.Digest, response json.RawMessage) error
	challenge      func(ctx context.Context, person int64, digest ota.Digest) (json.RawMessage, error)
	mayRevoke      func(p ota.Principal, t ota.Token) bool
	console        string
	rules          []string
	scanAsked      func()
	mayServe       func(app string, bundle int64, running ...int64) error

	maxBlob        int64
	retention      time.Duration
	eventRetention time.Duration

	// blobsInUse is held for reading while a bundle is checked against the blobs
	// and committed, and for writing while garbage is removed.
	blobsInUse sync.RWMutex
}

const day = 24 * time.Hour

// New returns a Service.
func New(d Deps) *Service {
	s := &Service{
		store: ruleStore{d.Store}, blobs: d.Blobs, snap: d.Snap, now: d.Now, rand: d.Rand, flush: d.Flush,
		mayApprove: d.MayApprove, needsAssertion: d.NeedsAssertion, assert: d.Assert, challenge: d.Challenge, console: d.ConsoleURL,
		maxBlob: d.MaxBlob, retention: d.Retention, eventRetention: d.EventRetention,
	}
	s.mayRevoke = d.MayRevoke
	s.rules, s.scanAsked = d.Rules, d.ScanAsked
	if s.mayServe = d.MayServe; s.mayServe == nil {
		s.mayServe = func(string, int64, ...int64) error { return nil }
	}
	if s.scanAsked == nil {
		s.scanAsked = func() {}
	}
	if s.flush == nil {
		s.flush = func(context.Context) error { return nil }
	}
	if s.maxBlob == 0 {
		s.maxBlob = 1 << 30
	}
	if s.retention == 0 {
		s.retention = 90 * day
	}
	if s.eventRetention == 0 {
		s.eventRetention = 90 * day
	}
	return s
}

func (s *Service) nowMS() int64 { return s.now().UnixMilli() }

// update runs fn in one transaction together with the record of the change it
// returns, then refreshes the app's snapshot. If fn returns the zero Change,
// nothing is written.
func (s *Service) update(ctx context.Context, actor ota.Actor, app string, fn func(Tx) (ota.Change, error)) error {
	err := s.store.Update(ctx, actor, s.nowMS(), func(tx Tx) (ota.Change, error) {
		a, missing := tx.App(ctx, app) // it may be gone afterwards
		c, err := fn(tx)
		if missing == nil && c.Org == "" {
			c.Org = a.Org
		}
		return c, err
	})
	if err != nil {
		return err
	}
	return s.refresh(ctx, app)
}

// refresh shows devices what was committed, even if who asked for it is gone.
func (s *Service) refresh(ctx context.Context, app string) error {
	if err := s.snap.Refresh(context.WithoutCancel(ctx), app); err != nil {
		return ota.Errorf(ota.KindUnavailable, CodeNotShown, "the change is stored, but devices are still answered from before it").
			WithHint("repeat it: that changes nothing twice, but shows it to devices").WithCause(err)
	}
	return nil
}

// change builds the record of a change. detail must be a map or struct of
// plain values.
func change(action, app, object string, detail any) ota.Change {
	b, err := json.Marshal(detail)
	if err != nil || string(b) == "null" {
		b = []byte("{}")
	}
	return ota.Change{Action: action, App: app, Object: object, Detail: string(b)}
}

// changed adds the object before and after the change to its record; nil = there was none.
func changed(c ota.Change, before, after any) ota.Change {
	c.Before, c.After = ota.JSON(before), ota.JSON(after)
	return c
}

// orNil is nil for no object, without a type that would make it one.
func orNil[T any](v *T) any {
	if v == nil {
		return nil
	}
	return *v
}

// fields is the detail of a change.
type fields map[string]any

// Changes lists the record of changes of an app, or with "" of the server
// itself, newest first.
func (s *Service) Changes(ctx context.Context, app string, p ota.Page) ([]ota.Change, string, error) {
	return s.store.Changes(ctx, app, p)
}
