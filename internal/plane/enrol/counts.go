package enrol

import (
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

const (
	countsEvery = 5 * time.Second
	maxCounted  = 20_000 // devices and outcomes that wait to be written
	hour        = int64(time.Hour / time.Millisecond)
)

type useKey struct {
	app  string
	hour int64
	what ask
	code string
}

type grantKey struct{ app, thumbprint string }

// counts are kept in memory for seconds: a grant is not worth a transaction of
// its own. A crash loses what was counted since.
type counts struct {
	mu      *sync.Mutex
	uses    map[useKey]int64
	granted map[grantKey]Granted
	total   map[useKey]int64 // of the hours that the record of changes does not have yet
}

func newCounts() counts {
	return counts{&sync.Mutex{}, map[useKey]int64{}, map[grantKey]Granted{}, map[useKey]int64{}}
}

// count counts an answer. Apps that do not exist are not counted: anybody can
// make their names up.
func (s *Service) count(app string, what ask, err error) {
	code := ""
	if err != nil {
		if code = ota.CodeOf(err); code == "app_not_found" {
			return
		}
	}
	now := s.nowMS()
	k := useKey{app, now - now%hour, what, code}
	s.counts.mu.Lock()
	defer s.counts.mu.Unlock()
	if _, known := s.counts.uses[k]; known || len(s.counts.uses) < maxCounted {
		s.counts.uses[k]++
	}
}

func (s *Service) granted(app, thumbprint string) {
	k := grantKey{app, thumbprint}
	s.counts.mu.Lock()
	defer s.counts.mu.Unlock()
	g, known := s.counts.granted[k]
	if !known && len(s.counts.granted) >= maxCounted {
		return
	}
	s.counts.granted[k] = Granted{App: app, Thumbprint: thumbprint, At: s.nowMS(), N: g.N + 1}
}

// Run writes counts until ctx ends, and then what is left.
func (s *Service) Run(ctx context.Context) error {
	tick := time.NewTicker(countsEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if err := s.Flush(ctx); err != nil && ctx.Err() == nil {
				s.Log.ErrorContext(ctx, "counts of sealed devices cannot be written", "err", err)
			}
		case <-ctx.Done():
			return s.Flush(context.WithoutCancel(ctx))
		}
	}
}

// Flush writes what was counted. What it could not write is counted on.
func (s *Service) Flush(ctx context.Context) error {
	s.counts.mu.Lock()
	taken := s.counts.uses
	grants := s.counts.granted
	s.counts.uses, s.counts.granted = map[useKey]int64{}, map[grantKey]Granted{}
	s.counts.mu.Unlock()
	if len(taken)+len(grants) > 0 {
		uses := make([]ota.SealedUse, 0, len(taken))
		for k, n := range taken {
			uses = append(uses, ota.SealedUse{App: k.app, Hour: k.hour, What: string(k.what), Code: k.code, Count: n})
		}
		list := make([]Granted, 0, len(grants))
		for _, g := range grants {
			list = append(list, g)
		}
		if err := s.Store.AddSealedUses(ctx, uses, list); err != nil {
			s.restore(taken, grants)
			return err
		}
	}
	return s.audit(ctx, taken)
}

func (s *Service) restore(uses map[useKey]int64, grants map[grantKey]Granted) {
	s.counts.mu.Lock()
	defer s.counts.mu.Unlock()
	for k, n := range uses {
		s.counts.uses[k] += n
	}
	for k, g := range grants {
		g.N += s.counts.granted[k].N
		s.counts.granted[k] = g
	}
}

// audit writes one change per app and hour that is over: how many grants and
// certificates there were, and why others were refused.
func (s *Service) audit(ctx context.Context, taken map[useKey]int64) error {
	now := s.nowMS()
	s.counts.mu.Lock()
	over := map[string]map[string]int64{} // app and hour → what → n
	apps := map[string]useKey{}
	for k, n := range taken {
		s.counts.total[k] += n
	}
	for k, n := range s.counts.total {
		if k.hour+hour > now || k.what == askReport {
			continue
		}
		at := k.app + "\x00" + strconv.FormatInt(k.hour, 10)
		if over[at] == nil {
			over[at] = map[string]int64{}
		}
		name := string(k.what)
		if k.code != "" {
			name += "." + k.code
		}
		over[at][name] += n
		apps[at] = k
	}
	for k := range s.counts.total {
		if k.hour+hour <= now {
			delete(s.counts.total, k)
		}
	}
	s.counts.mu.Unlock()
	for at, sums := range over {
		k := apps[at]
		err := s.Store.Update(ctx, actor, now, func(tx Tx) (ota.Change, error) {
			a, err := tx.App(ctx, k.app)
			if ota.KindOf(err) == ota.KindNotFound {
				return ota.Change{}, nil
			}
			if err != nil {
				return ota.Change{}, err
			}
			detail := ota.JSON(map[string]any{"hour": k.hour, "counts": sums})
			return ota.Change{Action: "sealed_grant.count", App: k.app, Org: a.Org, Object: k.app, Detail: detail}, nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
