package broker

import (
	"context"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/waxwing-ota/waxwing/internal/client"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
	"github.com/waxwing-ota/waxwing/internal/secret"
)

const (
	maxList      = 16 << 20 // bytes of a file
	maxRevoked   = 200_000  // entries of the update server's list
	refreshEvery = time.Minute
)

// list is what is revoked of an app, as of a time.
type list struct {
	at       time.Time // zero = never read
	devices  map[string]bool
	subjects map[string]bool
	serials  [][2]int64
}

func (l *list) add(r Revoked) {
	if l.devices == nil {
		l.devices, l.subjects = map[string]bool{}, map[string]bool{}
	}
	for _, d := range r.Devices {
		l.devices[d] = true
	}
	for _, s := range r.Subjects {
		l.subjects[s] = true
	}
	l.serials = append(l.serials, r.Serials...)
}

func (l *list) has(c *sealed.Certificate) bool {
	return l.devices[c.Device] || c.Subject != "" && l.subjects[c.Subject] ||
		slices.ContainsFunc(l.serials, func(s [2]int64) bool { return s[0] <= c.Serial && c.Serial <= s[1] })
}

// read reads all lists of an app anew.
func (b *Broker) read(ctx context.Context, a *App) (*list, error) {
	out := &list{at: b.now()}
	out.add(a.Revoked)
	if a.Fetch.File != "" {
		var r Revoked
		raw, err := readFile(b.cfg.path(a.Fetch.File), maxList)
		if err == nil {
			err = json.Unmarshal(raw, &r, json.RejectUnknownMembers(true))
		}
		if err == nil {
			err = r.check("revocations.file")
		}
		if err != nil {
			return nil, configError("revocations.file", "the revocation list of app %s cannot be read", a.App).WithCause(err)
		}
		out.add(r)
	}
	if a.Fetch.URL == "" {
		return out, nil
	}
	more, err := b.fetch(ctx, a)
	if err != nil {
		return nil, err
	}
	out.add(more)
	return out, nil
}

// fetch asks the update server for what it revoked.
func (b *Broker) fetch(ctx context.Context, a *App) (r Revoked, err error) {
	token, err := os.ReadFile(b.cfg.path(a.Fetch.TokenFile))
	if err != nil {
		return r, configError("revocations.token_file", "the token for the update server cannot be read").WithCause(err)
	}
	c, err := client.New(client.Config{URL: a.Fetch.URL, Token: secret.New(strings.TrimSpace(string(token)))})
	if err != nil {
		return r, err
	}
	for page, n := (ota.Page{Limit: 500}), 0; ; {
		items, next, err := c.SealedRevocations(ctx, a.App, page)
		if err != nil {
			return r, err
		}
		for i := range items {
			switch v := &items[i]; v.Kind {
			case ota.RevokeDevice:
				r.Devices = append(r.Devices, v.Device)
			case ota.RevokeSubject:
				r.Subjects = append(r.Subjects, v.Subject)
			case ota.RevokeSerials:
				r.Serials = append(r.Serials, [2]int64{v.From, v.To})
			default:
				return r, ota.Errorf(ota.KindUnavailable, CodeStale, "the update server revoked something of a kind that this program does not know").
					WithHint("use a broker as new as the server")
			}
		}
		if n += len(items); n > maxRevoked {
			return r, ota.Errorf(ota.KindUnavailable, CodeStale, "the update server lists more than %d revocations", maxRevoked)
		}
		if next == "" {
			return r, nil
		}
		page.After = next
	}
}

// refresh reads the lists of all apps; one that cannot be read stays as it is
// and grows old.
func (b *Broker) refresh(ctx context.Context) {
	for i := range b.cfg.Apps {
		a := &b.cfg.Apps[i]
		l, err := b.read(ctx, a)
		if err != nil {
			b.log.ErrorContext(ctx, "the revocation list cannot be read", "app", a.App, "err", err)
			continue
		}
		b.mu.Lock()
		b.lists[a.App] = l
		b.mu.Unlock()
	}
}

// revoked returns the list of an app if it is new enough to be relied on.
func (b *Broker) revoked(a *App) (*list, error) {
	b.mu.Lock()
	l := b.lists[a.App]
	b.mu.Unlock()
	external := a.Fetch.File != "" || a.Fetch.URL != ""
	if l == nil || external && b.now().Sub(l.at) > a.Fetch.maxAge {
		return nil, ota.Errorf(ota.KindUnavailable, CodeStale, "the broker's revocation list is too old, so it grants nothing").
			WithHint("see the broker's log; it reads the list every minute")
	}
	return l, nil
}
