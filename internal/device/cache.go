package device

import (
	"io/fs"
	"path"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Where a file came from when it was not downloaded.
const (
	fromBuiltin = "builtin"
	fromCache   = "cache"
)

// cacheName is the name of a file in the cache: the hash of its content and
// its own last name. Names too long for a file system are not cached.
func cacheName(hash ota.Digest, p string) (string, bool) {
	name := hash.String() + "_" + path.Base(p)
	return cacheDir + "/" + name, len(name) <= 255
}

// local says where the device has a file already, or "".
func (d *Device) local(p planned) string {
	if _, ok := d.builtinFile(p); ok {
		return fromBuiltin
	}
	if _, ok := d.cachedFile(p); ok {
		return fromCache
	}
	return ""
}

// reuse takes a file from the device, if it is there and unharmed.
func (c *crew) reuse(p planned) (string, error) {
	if b, ok := c.d.builtinFile(p); ok {
		return fromBuiltin, c.write(p, b)
	}
	if b, ok := c.d.cachedFile(p); ok {
		return fromCache, c.write(p, b)
	}
	return "", nil
}

// builtinFile returns the native app's asset at the same path, if equal.
func (d *Device) builtinFile(p planned) ([]byte, bool) {
	if d.cfg.Builtin == nil {
		return nil, false
	}
	return same(d.cfg.Builtin, p.path, p.hash, d.cfg.Limits.MaxFileSize)
}

// cachedFile returns a file of an earlier update. The plugin trusts its name;
// this device hashes it again.
func (d *Device) cachedFile(p planned) ([]byte, bool) {
	name, ok := cacheName(p.hash, p.path)
	if !ok {
		return nil, false
	}
	return same(d.root.FS(), name, p.hash, d.cfg.Limits.MaxFileSize)
}

func same(fsys fs.FS, name string, hash ota.Digest, limit int64) ([]byte, bool) {
	fi, err := fs.Stat(fsys, name)
	if err != nil || !fi.Mode().IsRegular() || fi.Size() > limit {
		return nil, false
	}
	b, err := fs.ReadFile(fsys, name)
	return b, err == nil && ota.Sum(b) == hash
}

// cache keeps a verified file for later updates. Two paths with one content and
// name share an entry.
func (d *Device) cache(hash ota.Digest, p string, plain []byte) error {
	name, ok := cacheName(hash, p)
	if !ok {
		return nil
	}
	tmp := tmpDir + "/" + ota.Sum([]byte(p)).String()
	if err := d.root.WriteFile(tmp, plain, 0o600); err != nil {
		return diskError(err)
	}
	if err := d.root.Rename(tmp, name); err != nil {
		return diskError(err)
	}
	return nil
}

// keep links a file of an unpacked zip into the cache. The cache is a
// convenience: where links do not exist there is none.
func (d *Device) keep(file string, hash ota.Digest, p string) {
	name, ok := cacheName(hash, p)
	if !ok {
		return
	}
	_ = d.root.Link(file, name)
}
