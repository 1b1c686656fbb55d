package device

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// partialAge is how long an unfinished download is worth resuming.
const partialAge = time.Hour

// source is one download: where from, and where its bytes are gathered so that
// a cut connection can be resumed.
type source struct {
	url   string
	part  string // file below partialDir
	agent string // User-Agent
	limit int64  // most bytes it may have
}

// fetch downloads src into its partial file, going on where an earlier attempt
// ended, and returns how many bytes came over the wire. The partial file is
// kept on an interruption and removed on a refusal.
func (d *Device) fetch(ctx context.Context, src source) (int64, error) {
	u, err := parseURL(src.url)
	if err != nil {
		return 0, err
	}
	if strings.HasPrefix(d.cfg.UpdateURL, "https:") && u.Scheme != "https" {
		return 0, refuse(CodeURL, "a device that checks over https does not download over %s", u.Scheme)
	}
	f, err := d.root.OpenFile(partialDir+"/"+src.part, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return 0, diskError(err)
	}
	n, err := d.fetchTo(ctx, f, src)
	now := d.cfg.Now()
	if cerr := f.Close(); err == nil && cerr != nil {
		err = diskError(cerr)
	}
	if err != nil && ota.KindOf(err) != ota.KindUnavailable && ctx.Err() == nil {
		_ = d.root.Remove(partialDir + "/" + src.part)
		return n, err
	}
	// The age counts on the injected clock.
	if terr := d.root.Chtimes(partialDir+"/"+src.part, now, now); err == nil && terr != nil {
		err = diskError(terr)
	}
	return n, err
}

// fetchTo sends the request and appends what comes to f.
func (d *Device) fetchTo(ctx context.Context, f *os.File, src source) (int64, error) {
	have, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return 0, diskError(err)
	}
	if d.cfg.Platform == Electron { // does not resume
		have = 0
	}
	res, err := d.get(ctx, src, have)
	if err != nil {
		return 0, err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode == http.StatusRequestedRangeNotSatisfiable && have > 0 {
		return 0, unsatisfied(res.Header, have)
	}
	from, want, err := span(res, have)
	if err != nil {
		return 0, err
	}
	if want > src.limit || from > src.limit {
		return 0, tooLarge("the server announces %d bytes, at most %d are taken", want, src.limit)
	}
	if err := errors.Join(f.Truncate(from), seek(f, from)); err != nil {
		return 0, diskError(err)
	}
	return d.receive(f, res.Body, from, want, src.limit)
}

// get asks for the bytes from offset have on.
func (d *Device) get(ctx context.Context, src source, have int64) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, src.url, nil)
	if err != nil {
		return nil, refuse(CodeURL, "%q is not an address to download from", clean(src.url, 200))
	}
	req.Header.Set("User-Agent", src.agent)
	if have > 0 {
		req.Header.Set("Range", "bytes="+strconv.FormatInt(have, 10)+"-")
	} else {
		// Asked for as the platforms do, but never decoded: stored bytes must
		// arrive as they are.
		req.Header.Set("Accept-Encoding", "gzip")
	}
	res, err := d.http.Do(req)
	switch {
	case errors.Is(err, errRedirect):
		return nil, refuse(CodeRedirect, "the server sent the download elsewhere in a way that is not followed").WithCause(err)
	case err != nil:
		return nil, interrupted(err, "the server could not be reached")
	}
	if enc := res.Header.Get("Content-Encoding"); enc != "" && enc != "identity" {
		_ = res.Body.Close()
		return nil, refuse(CodeEncoded, "the server encoded the download as %s", clean(enc, 40))
	}
	return res, nil
}

// span returns the offset at which the body of res belongs, and the whole size
// if the server says it, else -1. have is what is there already.
func span(res *http.Response, have int64) (from, total int64, err error) {
	switch s := res.StatusCode; {
	case s == http.StatusOK:
		return 0, res.ContentLength, nil
	case s == http.StatusPartialContent && have > 0:
		start, end, total, ok := contentRange(res.Header.Get("Content-Range"))
		// A range that ends early or begins elsewhere would leave a hole.
		if !ok || end != total-1 || start != have && start != 0 || res.ContentLength >= 0 && res.ContentLength != end-start+1 {
			return 0, 0, refuse(CodeInterrupted, "the server answered the range from %d with %q", have, clean(res.Header.Get("Content-Range"), 80))
		}
		return start, total, nil
	case s == http.StatusRequestTimeout || s == http.StatusTooManyRequests || s >= 500:
		return 0, 0, interrupted(nil, "the server answered %d", s)
	default:
		return 0, 0, refuse(CodeHTTP, "the server answered %d", s)
	}
}

// unsatisfied reads a 416 to a request that would resume: all bytes may be here
// already, which their hash will tell.
func unsatisfied(h http.Header, have int64) error {
	size, err := strconv.ParseInt(strings.TrimPrefix(h.Get("Content-Range"), "bytes */"), 10, 64)
	if err != nil || size != have {
		return refuse(CodeHTTP, "the server answered 416 to a range from %d", have)
	}
	return nil
}

// receive copies body to f. want is the size that f must have in the end, or -1.
func (d *Device) receive(f *os.File, body io.Reader, from, want, limit int64) (int64, error) {
	n, err := io.Copy(f, io.LimitReader(body, limit-from+1))
	switch size := from + n; {
	case size > limit:
		return n, tooLarge("the server sends more than %d bytes", limit)
	case isPathError(err):
		return n, diskError(err)
	case err != nil:
		return n, interrupted(err, "the connection ended after %d bytes", size)
	case want >= 0 && size != want:
		return n, interrupted(nil, "%d of %d bytes arrived", size, want)
	}
	return n, nil
}

// contentRange reads "bytes START-END/TOTAL" with three plain numbers.
func contentRange(s string) (start, end, total int64, ok bool) {
	span, size, ok1 := strings.Cut(strings.TrimPrefix(s, "bytes "), "/")
	first, last, ok2 := strings.Cut(span, "-")
	a, err1 := strconv.ParseUint(first, 10, 62)
	b, err2 := strconv.ParseUint(last, 10, 62)
	c, err3 := strconv.ParseUint(size, 10, 62)
	ok = strings.HasPrefix(s, "bytes ") && ok1 && ok2 && errors.Join(err1, err2, err3) == nil && a <= b && b < c
	return int64(a), int64(b), int64(c), ok
}

// dropOldPartials removes unfinished downloads past their age.
func (d *Device) dropOldPartials() {
	entries, err := fs.ReadDir(d.root.FS(), partialDir)
	if err != nil {
		return // they only cost room
	}
	for _, e := range entries {
		fi, err := e.Info()
		if err == nil && d.cfg.Now().Sub(fi.ModTime()) > partialAge {
			_ = d.root.Remove(partialDir + "/" + e.Name())
		}
	}
}

func tooLarge(format string, a ...any) *ota.Error {
	return ota.Errorf(ota.KindTooLarge, CodeTooLarge, format, a...)
}

func seek(f *os.File, to int64) error {
	_, err := f.Seek(to, io.SeekStart)
	return err
}

func isPathError(err error) bool {
	_, ok := errors.AsType[*fs.PathError](err)
	return ok
}
