package device

import (
	"context"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// maxWindow is how long a 429 can silence a device at most.
const maxWindow = 24 * time.Hour

// window is the time in which a server asked not to be called. The update,
// stats and channel endpoints share it; it is not kept over restarts.
type window struct {
	until     time.Time
	code, msg string
	told      bool // the server was told once that it limited us
}

// open returns what is left of the window.
func (w *window) open(now time.Time) time.Duration { return max(0, w.until.Sub(now)) }

// limited notes a 429 and returns what the caller is to be told. The deadline
// is the first usable of: the Retry-After header in seconds, and in the body
// retryAfterSeconds and rateLimitResetAt (Unix ms), each within moreInfo first.
func (d *Device) limited(ctx context.Context, h http.Header, body []byte) Answer {
	d.mu.Lock()
	w, now := &d.win, d.cfg.Now()
	w.code, w.msg = "too_many_requests", "Too many requests"
	f, _ := parseFields(body)
	if f != nil {
		orSet(&w.code, clean(f.text("error"), 100))
		orSet(&w.msg, clean(f.text("message"), maxMessage))
	}
	if wait := min(retryAfter(h, f, now), maxWindow); now.Add(wait).After(w.until) {
		w.until = now.Add(wait)
	}
	a := Answer{Status: http.StatusTooManyRequests, Kind: Failed, Code: w.code, Message: w.msg, RetryAfter: w.open(now).Milliseconds()}
	tell := w.code == "too_many_requests" && !w.told
	w.told = w.told || tell
	d.mu.Unlock()
	if tell && !d.single(ctx, "rate_limit_reached", new(d.runningName())) {
		d.mu.Lock()
		d.win.told = false
		d.mu.Unlock()
	}
	return a
}

// silenced returns the answer to give while the window is open.
func (d *Device) silenced() (Answer, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	left := d.win.open(d.cfg.Now())
	if left == 0 {
		d.win.told = false
		return Answer{}, false
	}
	return Answer{Kind: Failed, Code: d.win.code, Message: d.win.msg, RetryAfter: left.Milliseconds()}, true
}

// waiting is silenced for callers who need an error.
func (d *Device) waiting() error {
	a, on := d.silenced()
	if !on {
		return nil
	}
	return ota.Errorf(ota.KindUnavailable, a.Code, "the server asked not to be called for %s", time.Duration(a.RetryAfter)*time.Millisecond)
}

func retryAfter(h http.Header, f *fields, now time.Time) time.Duration {
	if s, err := strconv.ParseFloat(strings.TrimSpace(h.Get("Retry-After")), 64); err == nil && s >= 0 {
		return seconds(s)
	}
	if f == nil {
		return 0
	}
	from := []*fields{f}
	if more, ok := parseFields(f.m["moreInfo"]); ok {
		from = []*fields{more, f}
	}
	for _, x := range from {
		if s, ok := x.number("retryAfterSeconds"); ok && s >= 0 {
			return seconds(s)
		}
	}
	for _, x := range from {
		if ms, ok := x.number("rateLimitResetAt"); ok {
			return max(0, seconds(ms/1000-float64(now.UnixMilli())/1000))
		}
	}
	return 0
}

func (f *fields) number(name string) (float64, bool) {
	n := math.NaN()
	f.decode(name, &n)
	return n, !math.IsNaN(n)
}

// seconds clamps before it converts: a float may be beyond any duration.
func seconds(s float64) time.Duration {
	if math.IsNaN(s) {
		return 0
	}
	return time.Duration(min(max(s, -1), maxWindow.Seconds()) * float64(time.Second))
}

func orSet(s *string, v string) {
	if v != "" {
		*s = v
	}
}
