package alerts

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// The stable codes of errors of this package.
const (
	CodeAlertNotFound   = "alert_not_found"
	CodeAlertOver       = "alert_over"
	CodeRuleNotFound    = "alert_rule_not_found"
	CodeSilenceNotFound = "silence_not_found"
	CodeSilenceInvalid  = "silence_invalid"
	CodeSilencesFull    = "silences_full"
	CodeTestRunning     = "alert_test_running"
)

// actor is who the record of changes names for what happens here.
const actor ota.Actor = "system/alerts"

// Deps is what a Service stands on. All fields but those that say so are required.
type Deps struct {
	Store Store
	Now   func() time.Time
	Log   *slog.Logger
	Every time.Duration // between two looks; 0 = 30 s
	// Metadata lists the signed metadata of sealed updates in force of an app; nil =
	// there is none.
	Metadata func(app string) []ota.TrustRole
}

// Service looks and tells. Its methods may be called by many goroutines.
type Service struct {
	d       Deps
	started time.Time
	looking sync.Mutex // one look at a time
	cache   map[string]*appCache
	seen    *sightings
}

// lookEvery is the time between two looks.
const lookEvery = 30 * time.Second

// New returns a Service that does nothing until Run.
func New(d Deps) *Service {
	if d.Every <= 0 {
		d.Every = lookEvery
	}
	return &Service{d: d, started: d.Now(), cache: map[string]*appCache{}, seen: newSightings(d.Now)}
}

func (s *Service) nowMS() int64 { return s.d.Now().UnixMilli() }

// The bounds of what is kept.
const (
	keepAlerts   = 180 * 24 * time.Hour
	maxReason    = 1000
	maxSilences  = 200 // of one app at a time
	purgeEvery   = time.Hour
	seriesMargin = 24 * time.Hour
)

// Run looks until ctx ends. What goes wrong is logged and tried again.
func (s *Service) Run(ctx context.Context) error {
	look, purge := time.NewTicker(s.d.Every), time.NewTicker(purgeEvery)
	defer look.Stop()
	defer purge.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return nil
		case <-look.C:
			err = s.Look(ctx)
		case <-purge.C:
			now := s.d.Now()
			err = s.d.Store.PurgeAlerts(ctx, now.Add(-keepAlerts).UnixMilli(), now.Add(-maxDays*24*time.Hour-seriesMargin).UnixMilli())
		}
		if err != nil && ctx.Err() == nil {
			s.d.Log.ErrorContext(ctx, "alerts cannot be looked after", "err", err)
		}
	}
}

// update runs fn in one transaction with the record of its change, in the
// organisation of the app.
func (s *Service) update(ctx context.Context, who ota.Actor, app string, fn func(Tx) (ota.Change, error)) error {
	return s.d.Store.Update(ctx, who, s.nowMS(), func(tx Tx) (ota.Change, error) {
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

// clean accepts a text of a person.
func clean(field, text string) (string, error) {
	text = strings.TrimSpace(text)
	if len(text) > maxReason || !utf8.ValidString(text) {
		return "", ota.Invalid("text_too_long", "%s has at most %d characters", field, maxReason).WithField(field)
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' {
			return -1
		}
		return r
	}, text), nil
}
