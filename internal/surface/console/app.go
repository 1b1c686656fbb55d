package console

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

type appView struct {
	App      ota.App
	Channels []ota.Channel
	Stats    statsView
}

// statsView is the part of the page that is sent again when it changes.
type statsView struct {
	App      string
	Stats    ota.AppStats
	Outcomes *chart
	Checks   *chart
	Took     int64
	Failed   int64
	Mark     string // of all the above: the same numbers have the same
}

func (c *Console) registerApp() {
	c.page(route{method: "GET", path: "/apps/{app}", action: "app.get"}, c.showApp)
	c.page(route{method: "GET", path: "/apps/{app}/live", action: "app.get"}, c.liveApp)
}

func (c *Console) showApp(r *request) (answer, error) {
	var v appView
	var err error
	if v.App, err = r.api.App(r, r.app()); err != nil {
		return answer{}, err
	}
	if v.Channels, err = r.api.Channels(r, r.app()); err != nil {
		return answer{}, err
	}
	if v.Stats, err = c.stats(r); err != nil {
		return answer{}, err
	}
	return r.show("app", nameOf(v.App), v), nil
}

func nameOf(a ota.App) string {
	if a.Name != "" {
		return a.Name
	}
	return a.ID
}

func (c *Console) stats(r *request) (statsView, error) {
	st, err := r.api.Stats(r, r.app(), 0)
	if err != nil {
		return statsView{}, err
	}
	now := c.deps.Now().UnixMilli()
	v := statsView{App: r.app(), Stats: st, Outcomes: outcomeChart(st.Hours, now), Checks: checkChart(st.Checks, now)}
	v.Took, v.Failed = v.Outcomes.Series[0].Total+v.Outcomes.Series[1].Total, v.Outcomes.Series[1].Total
	all, err := json.Marshal(v)
	if err != nil {
		return statsView{}, err
	}
	sum := sha256.Sum256(all)
	v.Mark = hex.EncodeToString(sum[:8])
	return v, nil
}

const eventStream = "text/event-stream"

// The pace of live updates. A stream ends by itself and the browser opens
// another: so nobody keeps watching who may not any more.
const (
	liveEvery = 2 * time.Second
	liveFor   = 5 * time.Minute
	maxLive   = 200              // streams at once
	livePause = 15 * time.Second // longest silence, so that proxies keep the line
)

// liveApp sends the numbers whenever they have changed from those that the page
// shows.
func (c *Console) liveApp(r *request) (answer, error) {
	v, err := c.stats(r)
	if err != nil {
		return answer{}, err
	}
	if c.live.Add(1) > maxLive {
		c.live.Add(-1)
		return answer{}, ota.Errorf(ota.KindUnavailable, "live_full", "too many pages are being kept up to date").WithHint("reload the page to see the numbers of now")
	}
	return answer{raw: func(w http.ResponseWriter) error {
		defer c.live.Add(-1)
		w.Header().Set("Content-Type", eventStream)
		out := http.NewResponseController(w)
		_ = out.SetWriteDeadline(time.Now().Add(liveFor + livePause)) // a recorder has none
		ctx, stop := context.WithTimeout(r.Context, liveFor)
		defer stop()
		tick := time.NewTicker(liveEvery)
		defer tick.Stop()
		last := r.query("shown")
		quiet := time.Duration(0)
		for {
			switch {
			case v.Mark != last:
				now, err := c.fragment("app", "numbers", v)
				if err != nil {
					return err
				}
				last, quiet = v.Mark, 0
				fmt.Fprint(w, "data: ")
				_, _ = w.Write(bytes.ReplaceAll(now, []byte("\n"), []byte("\ndata: ")))
				fmt.Fprint(w, "\n\n")
			case quiet >= livePause:
				quiet = 0
				fmt.Fprint(w, ": still here\n\n")
			}
			if err := out.Flush(); err != nil {
				return err
			}
			select {
			case <-ctx.Done():
				return nil
			case <-c.deps.Stopping:
				return nil
			case <-tick.C:
				quiet += liveEvery
			}
			if v, err = c.stats(r); err != nil {
				return err
			}
		}
	}}, nil
}
