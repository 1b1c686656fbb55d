package scans

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/scan"
	"github.com/waxwing-ota/waxwing/internal/driver/blob"
)

// Deps is what a Service stands on. All fields but those that say so are required.
type Deps struct {
	Store   Store
	Blobs   blob.Store
	Now     func() time.Time
	Log     *slog.Logger
	Version string // of the program, for reports
	Limits  scan.Limits
	// Readable reports whether the server can read a bundle.
	Readable func(b *ota.Bundle) bool
	// Advisories lists known vulnerabilities of packages; nil = none are known.
	Advisories func() ([]scan.Advisory, error)
	// Authors finds the people behind a caller.
	Authors func(ctx context.Context, p ota.Principal) ([]int64, error)
}

// Service keeps reports and suppressions. Its methods may be called by many
// goroutines; Run by one.
type Service struct {
	d     Deps
	rules []scan.Rule
	// ruleSet names the rules: reports of equal sets can be compared.
	ruleSet string
	wake    chan struct{}
}

// New returns a Service. An error is a fault of the program.
func New(d Deps) (*Service, error) {
	rules, err := scan.Rules()
	if err != nil {
		return nil, err
	}
	raw, err := json.Marshal(rules)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(raw)
	return &Service{d: d, rules: rules, ruleSet: hex.EncodeToString(sum[:6]), wake: make(chan struct{}, 1)}, nil
}

// RuleIDs lists the rules there are.
func (s *Service) RuleIDs() []string {
	ids := make([]string, len(s.rules))
	for i := range s.rules {
		ids[i] = s.rules[i].ID
	}
	return ids
}

// Wake says that there is something to scan.
func (s *Service) Wake() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *Service) nowMS() int64 { return s.d.Now().UnixMilli() }

// update runs fn in one transaction with the record of its change, in the
// organisation of the app.
func (s *Service) update(ctx context.Context, actor ota.Actor, app string, fn func(Tx) (ota.Change, error)) error {
	return s.d.Store.Update(ctx, actor, s.nowMS(), func(tx Tx) (ota.Change, error) {
		a, err := tx.App(ctx, app)
		if err != nil {
			return ota.Change{}, err
		}
		c, err := fn(tx)
		c.Org, c.App = a.Org, app
		return c, err
	})
}

// change is the record of a change.
func change(action, object string, detail map[string]any) ota.Change {
	return ota.Change{Action: action, Object: object, Detail: ota.JSON(detail)}
}

// bundle returns a bundle, telling a missing app from a missing version.
func (s *Service) bundle(ctx context.Context, r Reader, app, version string) (ota.Bundle, error) {
	if _, err := r.App(ctx, app); err != nil {
		return ota.Bundle{}, err
	}
	return r.Bundle(ctx, app, version)
}
