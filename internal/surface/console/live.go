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

const eventStream = "text/event-stream"

// The pace of live updates. A stream ends by itself and the browser opens
// another: so nobody keeps watching who may not any more.
const (
	liveEvery = 2 * time.Second
	liveFor   = 5 * time.Minute
	maxLive   = 200              // streams at once
	livePause = 15 * time.Second // longest silence, so that proxies keep the line
)

// markOf is of what a page shows: the same numbers have the same.
func markOf(data any) (string, error) {
	all, err := json.Marshal(data)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(all)
	return hex.EncodeToString(sum[:8]), nil
}

// watch sends the part "numbers" of a page whenever look, which is asked again
// and again, has come to another mark than that of what is shown.
func (c *Console) watch(r *request, page string, every time.Duration, look func() (data any, mark string, err error)) (answer, error) {
	v, mark, err := look()
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
		tick := time.NewTicker(every)
		defer tick.Stop()
		last := r.query("shown")
		quiet := time.Duration(0)
		for {
			switch {
			case mark != last:
				now, err := c.fragment(page, "numbers", v)
				if err != nil {
					return err
				}
				last, quiet = mark, 0
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
				quiet += every
			}
			if v, mark, err = look(); err != nil {
				return err
			}
		}
	}}, nil
}
