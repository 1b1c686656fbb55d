package device

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/pack"
)

// planned is one file of a manifest after its checks.
type planned struct {
	Entry
	path   string     // where it goes
	hash   ota.Digest // of the plain content
	brotli bool
}

// plan checks every entry of a manifest before anything is fetched.
func (d *Device) plan(ctx context.Context, a *Answer) ([]planned, error) {
	if len(a.Manifest) > d.cfg.Limits.MaxFiles {
		return nil, tooLarge("the manifest has %d files, at most %d are taken", len(a.Manifest), d.cfg.Limits.MaxFiles)
	}
	seen, index := make(map[string]bool, len(a.Manifest)), false
	list := make([]planned, 0, len(a.Manifest))
	for _, e := range a.Manifest {
		p := planned{Entry: e}
		p.path, p.brotli = strings.CutSuffix(e.Name, ".br")
		key := pack.PathKey(p.path)
		if err := pack.CheckPath(p.path); err != nil || seen[key] {
			return nil, d.badPath(ctx, a, e, err)
		}
		seen[key] = true
		index = index || p.path == indexFile
		if _, err := parseURL(e.URL); err != nil {
			return nil, refuse(CodeManifest, "the manifest has no usable address for %q", clean(e.Name, 200))
		}
		list = append(list, p)
	}
	for _, p := range list {
		for dir := path.Dir(p.path); dir != "." && dir != "/"; dir = path.Dir(dir) {
			if seen[pack.PathKey(dir)] {
				return nil, d.badPath(ctx, a, p.Entry, nil)
			}
		}
	}
	if !index {
		return nil, refuse(CodeNoIndex, "version %s has no %s at its root", a.Version, indexFile)
	}
	return list, d.openHashes(list)
}

func (d *Device) badPath(ctx context.Context, a *Answer, e Entry, cause error) error {
	d.worker(ctx, CodePath, a.Version+":"+clean(e.Name, 200))
	return refuse(CodePath, "the manifest has a path that is not allowed or comes twice: %q", clean(e.Name, 200)).WithCause(cause)
}

// openHashes reads the file hashes, signed ones if the app has a key.
func (d *Device) openHashes(list []planned) error {
	for i := range list {
		p := &list[i]
		var err error
		switch {
		case d.key == nil:
			p.hash, err = ota.ParseDigest(p.Hash)
		case !d.traits.hexSums:
			p.hash, err = d.key.OpenHashV2(p.Hash)
		default:
			p.hash, err = d.key.OpenHash(p.Hash)
		}
		if err != nil {
			return refuse(CodeManifest, "the hash of %q is not one that this app trusts", clean(p.Name, 200)).WithCause(err)
		}
	}
	return nil
}

// crew is the work on one manifest.
type crew struct {
	d       *Device
	a       *Answer
	o       *opened
	dir     *os.Root      // the bundle's folder
	slots   chan struct{} // bounds how many files are in memory at once
	left    atomic.Int64  // plain bytes that the bundle may still have
	mu      sync.Mutex
	t       Transfer
	done    int
	percent int
}

// fetchFiles builds a bundle below dir from what is on the device and what the
// server sends, several files at a time. The first failure ends it; files that
// have arrived stay in the cache for the next attempt.
func (d *Device) fetchFiles(ctx context.Context, a *Answer, o *opened, dir string) (Transfer, error) {
	list, err := d.plan(ctx, a)
	if err != nil {
		return Transfer{}, err
	}
	root, err := d.root.OpenRoot(dir)
	if err != nil {
		return Transfer{}, diskError(err)
	}
	defer func() { _ = root.Close() }()
	d.worker(ctx, "download_manifest_start", a.Version)
	c := &crew{d: d, a: a, o: o, dir: root, slots: make(chan struct{}, runtime.GOMAXPROCS(0))}
	c.left.Store(d.cfg.Limits.MaxTotal)
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(d.cfg.Concurrency)
	for _, p := range list {
		g.Go(func() error { return c.file(gctx, p, len(list)) })
	}
	if err := g.Wait(); err != nil {
		return c.t, err
	}
	d.worker(ctx, "download_manifest_complete", a.Version)
	return c.t, nil
}

// file brings one file: from the native app, from the cache, or from the server.
func (c *crew) file(ctx context.Context, p planned, all int) error {
	if err := ctx.Err(); err != nil {
		return interrupted(err, "the download was stopped")
	}
	origin, err := c.reuse(p)
	if origin == "" && err == nil {
		err = c.download(ctx, p)
	}
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch origin {
	case fromBuiltin:
		c.t.Builtin++
	case fromCache:
		c.t.Cached++
	default:
		c.t.Fetched++
	}
	c.done++
	if now := c.done * 100 / all / 10 * 10; now > c.percent && now < 100 {
		c.percent = now
		c.d.progress(c.a.Version, now)
	}
	return nil
}

// download fetches one file, undoes its packing, compares it with its hash and
// keeps it in the bundle and in the cache.
func (c *crew) download(ctx context.Context, p planned) error {
	d := c.d
	part := "partial_" + p.hash.String() + "_" + ota.Sum([]byte(p.Name)).String()[:16] + ".tmp"
	n, err := d.fetch(ctx, source{url: p.URL, part: part, agent: d.userAgent(), limit: d.cfg.Limits.MaxFileSize + storedExtra})
	c.mu.Lock()
	c.t.Bytes += n
	c.mu.Unlock()
	if err != nil {
		if ctx.Err() == nil {
			d.worker(ctx, "download_manifest_file_fail", c.about(p))
		}
		return err
	}
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-ctx.Done():
		return interrupted(ctx.Err(), "the download was stopped")
	}
	stored, err := d.root.ReadFile(partialDir + "/" + part)
	if err != nil {
		return diskError(err)
	}
	if err := d.root.Remove(partialDir + "/" + part); err != nil {
		return diskError(err)
	}
	plain, err := c.unpack(ctx, p, stored)
	if err != nil {
		return err
	}
	if err := c.write(p, plain); err != nil {
		return err
	}
	return d.cache(p.hash, p.path, plain)
}

// storedExtra is how much longer a stored file may be than its plain form:
// cipher padding, and framing of what does not compress.
const storedExtra = 64 << 10

// unpack undoes encryption and compression and compares the hash.
func (c *crew) unpack(ctx context.Context, p planned, b []byte) ([]byte, error) {
	var err error
	if c.o.session != nil {
		if b, err = c.o.session.DecryptBytes(b); err == nil && len(b) == 0 {
			err = io.ErrUnexpectedEOF // both platforms take it for damage
		}
		if err != nil {
			c.d.worker(ctx, CodeDecrypt, c.a.Version)
			return nil, refuse(CodeDecrypt, "%q does not decrypt", clean(p.Name, 200)).WithCause(err)
		}
	}
	if p.brotli {
		if b, err = pack.Decode(b, c.d.cfg.Limits.MaxFileSize); err != nil {
			c.d.worker(ctx, CodeBrotli, c.about(p))
			return nil, refuse(CodeBrotli, "%q does not decompress", clean(p.Name, 200)).WithCause(err)
		}
	}
	if ota.Sum(b) != p.hash {
		c.d.worker(ctx, CodeFileHash, c.about(p))
		return nil, refuse(CodeFileHash, "%q is not the file its hash names", clean(p.Name, 200))
	}
	return b, nil
}

// write puts a verified file into the bundle.
func (c *crew) write(p planned, plain []byte) error {
	if c.left.Add(-int64(len(plain))) < 0 {
		return tooLarge("the files of version %s are larger than %d bytes together", c.a.Version, c.d.cfg.Limits.MaxTotal)
	}
	f, err := c.d.create(c.dir, p.path)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, bytes.NewReader(plain))
	if err = errors.Join(err, f.Close()); err != nil {
		return diskError(err)
	}
	return nil
}

func (c *crew) about(p planned) string { return c.a.Version + ":" + clean(p.Name, 200) }

// worker reports what happens inside a download: Android's download worker
// sends such reports at once and by themselves.
func (d *Device) worker(ctx context.Context, action, version string) {
	if d.cfg.Platform == Android {
		d.single(ctx, action, &version)
		return
	}
	d.report(action, about(version))
}
