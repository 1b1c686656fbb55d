package sealeddevice

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func (d *Device) address(base, rest string) string {
	return strings.TrimRight(base, "/") + "/sealed/v1/" + url.PathEscape(d.cfg.Build.App) + "/" + rest
}

// watched is a body that fails when too little of it arrives.
type watched struct {
	io.Reader
	timer *time.Timer
	every time.Duration
	least int64
	got   int64
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	if w.got += int64(n); w.got >= w.least {
		w.got = 0
		w.timer.Reset(w.every)
	}
	return n, err
}

// do sends a request and hands its body to use, under the least rate. The body is
// cut off after limit bytes and one.
func (d *Device) do(ctx context.Context, r *http.Request, limit int64, use func(*http.Response, io.Reader) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	slow := ota.Errorf(ota.KindUnavailable, CodeSlow, "fewer than %d bytes came in %s", d.cfg.MinBytes, d.cfg.Slow)
	timer := time.AfterFunc(d.cfg.Slow, func() { cancel(slow) })
	defer timer.Stop()
	res, err := d.cfg.HTTP.Do(r.WithContext(ctx))
	if err == nil {
		defer res.Body.Close()
		err = use(res, io.LimitReader(&watched{Reader: res.Body, timer: timer, every: d.cfg.Slow, least: d.cfg.MinBytes}, limit+1))
	}
	if cause := context.Cause(ctx); err != nil && errors.Is(cause, error(slow)) {
		return slow
	}
	if _, ok := errors.AsType[*ota.Error](err); err != nil && !ok {
		return ota.Errorf(ota.KindUnavailable, CodeServer, "%s did not answer", r.URL.Host).WithCause(err)
	}
	return err
}

// post sends a document and returns the answer, of at most limit bytes.
func (d *Device) post(ctx context.Context, what string, body []byte, limit int64) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, d.address(d.cfg.Server, what), bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("ask the server: %w", err)
	}
	r.Header.Set("Content-Type", "application/json")
	var out []byte
	err = d.do(ctx, r, limit, func(res *http.Response, b io.Reader) (err error) {
		if out, err = whole(b, limit); err != nil {
			return err
		}
		if res.StatusCode/100 != 2 {
			return refused(res.StatusCode, out)
		}
		return nil
	})
	return out, err
}

func whole(r io.Reader, limit int64) ([]byte, error) {
	b, err := io.ReadAll(r)
	if int64(len(b)) > limit {
		return nil, ota.Errorf(ota.KindTooLarge, CodeTooLong, "the answer has more than %d bytes", limit)
	}
	return b, err
}

func refused(status int, body []byte) error {
	kind, code := ota.KindUnavailable, CodeServer
	if status/100 == 4 && status != http.StatusTooManyRequests && status != http.StatusRequestTimeout {
		kind, code = ota.KindForbidden, CodeRefused
	}
	return ota.Errorf(kind, code, "the server answered with status %d: %.300s", status, strings.ToValidUTF8(string(body), "?"))
}

// bases are all servers that have files.
func (d *Device) bases() []string { return append([]string{d.cfg.Server}, d.cfg.Mirrors...) }

// get fetches a small file from the first server whose bytes good accepts.
func (d *Device) get(ctx context.Context, rest string, limit int64, good func([]byte) error) ([]byte, error) {
	var errs []error
	for _, base := range d.bases() {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, d.address(base, rest), nil)
		if err != nil {
			return nil, fmt.Errorf("ask the server: %w", err)
		}
		var out []byte
		err = d.do(ctx, r, limit, func(res *http.Response, b io.Reader) (err error) {
			if res.StatusCode != http.StatusOK {
				return refused(res.StatusCode, nil)
			}
			if out, err = whole(b, limit); err != nil {
				return err
			}
			return good(out)
		})
		if err == nil {
			return out, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}

// download appends to f until it has size bytes, going on where it ends. A server
// whose connections break is asked again as long as they bring something; check says
// whether the whole is right, and another server follows one that lied.
func (d *Device) download(ctx context.Context, rest string, f *os.File, size int64, check func() error) error {
	var errs []error
	for _, base := range d.bases() {
		err := d.persist(ctx, d.address(base, rest), f, size)
		if err == nil {
			if err = check(); err == nil {
				return nil
			}
			// It is not what was asked for: nothing of it is kept.
			err = errors.Join(err, f.Truncate(0))
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// maxBreaks is how often a connection may break within one file.
const maxBreaks = 20

func (d *Device) persist(ctx context.Context, from string, f *os.File, size int64) error {
	for breaks := 0; ; breaks++ {
		before, err := f.Seek(0, io.SeekEnd)
		if err != nil {
			return diskError("read a download", err)
		}
		err = d.resume(ctx, from, f, size)
		after, serr := f.Seek(0, io.SeekEnd)
		if err == nil || serr != nil || ota.CodeOf(err) != CodeServer || after <= before || breaks == maxBreaks {
			return errors.Join(err, serr)
		}
	}
}

func (d *Device) resume(ctx context.Context, from string, f *os.File, size int64) error {
	have, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return diskError("read a download", err)
	}
	if have > size {
		have = 0
		if err := f.Truncate(0); err != nil {
			return diskError("write a download", err)
		}
	}
	if have == size {
		return nil
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		return fmt.Errorf("ask the server: %w", err)
	}
	r.Header.Set("Accept-Encoding", "identity")
	if have > 0 {
		r.Header.Set("Range", "bytes="+strconv.FormatInt(have, 10)+"-")
	}
	return d.do(ctx, r, size, func(res *http.Response, b io.Reader) error {
		switch res.StatusCode {
		case http.StatusPartialContent:
		case http.StatusOK:
			have = 0
			if err := f.Truncate(0); err != nil {
				return diskError("write a download", err)
			}
		default:
			return refused(res.StatusCode, nil)
		}
		if _, err := f.Seek(have, io.SeekStart); err != nil {
			return diskError("write a download", err)
		}
		n, err := io.Copy(f, io.LimitReader(b, size-have+1))
		if err != nil {
			return err
		}
		if have+n != size {
			return ota.Errorf(ota.KindUnavailable, CodeServer, "%d bytes came instead of %d", have+n, size)
		}
		return f.Sync()
	})
}
