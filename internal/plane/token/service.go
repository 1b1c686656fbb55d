package token

import (
	"context"
	"io"
	"sync"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Deps is what a Service stands on. All fields but those that say so are required.
type Deps struct {
	Store Store
	// Grants returns what a user or service account holds now, through groups
	// too; a disabled one holds nothing.
	Grants func(ctx context.Context, kind ota.SubjectKind, id int64) ([]ota.Grant, error)
	Now    func() time.Time
	Rand   io.Reader // cryptographic

	// Actions lists every action there is: what a token can be limited to; nil =
	// to none.
	Actions func() []string

	// Verifier and Audience are for the exchange of ID tokens; without an
	// audience there is none.
	Verifier Verifier
	Audience string // that ID tokens must be made out to; the server's public URL
}

// Service carries out changes of tokens and trusted publishers, and finds who a
// secret is. Its methods may be called by many goroutines.
type Service struct {
	store    Store
	grants   func(ctx context.Context, kind ota.SubjectKind, id int64) ([]ota.Grant, error)
	now      func() time.Time
	rand     io.Reader
	verifier Verifier
	audience string
	actions  func() []string
	rate     *limiter // of exchanges

	usedMu sync.Mutex
	used   map[int64]int64 // when a token's use was last written, by token id
}

// New returns a Service.
func New(d Deps) *Service {
	if d.Actions == nil {
		d.Actions = func() []string { return nil }
	}
	return &Service{
		store: d.Store, grants: d.Grants, now: d.Now, rand: d.Rand, verifier: d.Verifier, audience: d.Audience, actions: d.Actions,
		rate: newLimiter(), used: map[int64]int64{},
	}
}

func (s *Service) nowMS() int64 { return s.now().UnixMilli() }

// change builds the record of a change; before and after may be nil.
func change(action, org, object string, before, after any) ota.Change {
	return ota.Change{Action: action, Org: org, Object: object, Detail: "{}", Before: ota.JSON(before), After: ota.JSON(after)}
}
