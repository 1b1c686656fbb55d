package device

import (
	"archive/zip"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/pack"
)

// zipAgent is what Android's own downloader sends; the plugin's header is only
// on its other requests.
const zipAgent = "Dalvik/2.1.0 (Linux; U; Android 15)"

// fetchZip downloads, decrypts, verifies and unpacks a whole bundle below work
// and returns the folder that is its root.
func (d *Device) fetchZip(ctx context.Context, a *Answer, o *opened, work string) (string, Transfer, error) {
	var t Transfer
	agent := d.userAgent()
	if d.cfg.Platform == Android {
		agent = zipAgent
	}
	// Named by the content that is wanted: URLs are signed anew between attempts.
	name := "zip_" + ota.Sum([]byte(a.Version + "\x00" + a.Checksum + "\x00" + a.SessionKey)).String()[:32] + ".part"
	d.worker(ctx, "download_zip_start", a.Version)
	n, err := d.fetch(ctx, source{url: a.URL, part: name, agent: agent, limit: d.cfg.Limits.MaxTotal})
	t.Bytes = n
	if err != nil {
		return "", t, err
	}
	err = d.openZip(ctx, a, o, partialDir+"/"+name, work)
	if rerr := d.root.Remove(partialDir + "/" + name); err == nil && rerr != nil {
		err = diskError(rerr)
	}
	if err != nil {
		return "", t, err
	}
	d.worker(ctx, "download_zip_complete", a.Version)
	from, err := d.flatten(work + "/www")
	return from, t, err
}

// openZip verifies the stored bytes and unpacks them to work/www.
func (d *Device) openZip(ctx context.Context, a *Answer, o *opened, stored, work string) error {
	plain := stored
	sum, err := d.sumOf(stored)
	if err != nil {
		return err
	}
	if d.cfg.Platform == Electron && sum != o.sum {
		return refuse(CodeChecksum, "the file of version %s is not the one its checksum names", a.Version)
	}
	if o.session != nil {
		plain = work + "/plain.zip"
		if sum, err = d.decrypt(o, stored, plain); err != nil {
			return err
		}
	}
	if d.cfg.Platform != Electron && sum != o.sum {
		return refuse(CodeChecksum, "the file of version %s is not the one its checksum names", a.Version)
	}
	return d.unzip(ctx, plain, work+"/www")
}

func (d *Device) sumOf(name string) (ota.Digest, error) {
	f, err := d.root.Open(name)
	if err != nil {
		return ota.Digest{}, diskError(err)
	}
	sum, _, err := hashOf(f)
	if err = errors.Join(err, f.Close()); err != nil {
		return sum, diskError(err)
	}
	return sum, nil
}

// decrypt writes the plain text of from to a new file and returns its hash.
func (d *Device) decrypt(o *opened, from, to string) (ota.Digest, error) {
	src, err := d.root.Open(from)
	if err != nil {
		return ota.Digest{}, diskError(err)
	}
	defer func() { _ = src.Close() }()
	dst, err := d.create(d.root, to)
	if err != nil {
		return ota.Digest{}, err
	}
	h := newHash()
	_, err = o.session.Decrypt(io.MultiWriter(dst, h), src)
	if cerr := dst.Close(); err == nil && cerr != nil || isPathError(err) {
		return ota.Digest{}, diskError(errors.Join(err, cerr))
	}
	if err != nil {
		return ota.Digest{}, refuse(CodeDecrypt, "the bundle does not decrypt").WithCause(err)
	}
	return h.digest(), nil
}

// unzip writes the entries of a verified archive below a folder that is the
// only one it can reach. Sizes are taken from what is read, not from what the
// archive says.
func (d *Device) unzip(ctx context.Context, name, to string) error {
	f, err := d.root.Open(name)
	if err != nil {
		return diskError(err)
	}
	defer func() { _ = f.Close() }()
	fi, err := f.Stat()
	if err != nil {
		return diskError(err)
	}
	entries, err := pack.OpenZip(f, fi.Size(), d.cfg.Limits)
	if err != nil {
		return refuse(CodeUnzip, "the bundle is not a zip file that every device reads alike").WithCause(err)
	}
	dir, err := d.root.OpenRoot(to)
	if err != nil {
		return diskError(err)
	}
	defer func() { _ = dir.Close() }()
	left := d.cfg.Limits.MaxTotal
	for _, e := range entries {
		if err := ctx.Err(); err != nil {
			return interrupted(err, "unpacking was stopped")
		}
		n, err := d.unzipOne(dir, e, min(left, d.cfg.Limits.MaxFileSize))
		if err != nil {
			return err
		}
		left -= n
	}
	return nil
}

// unzipOne writes one entry. The reader checks its CRC at the end.
func (d *Device) unzipOne(dir *os.Root, e *zip.File, limit int64) (int64, error) {
	if e.FileInfo().IsDir() {
		return 0, nil
	}
	src, err := e.Open()
	if err != nil {
		return 0, refuse(CodeUnzip, "%q cannot be unpacked", clean(e.Name, 200)).WithCause(err)
	}
	defer func() { _ = src.Close() }()
	dst, err := d.create(dir, e.Name)
	if err != nil {
		return 0, err
	}
	n, err := io.Copy(dst, io.LimitReader(src, limit+1))
	if cerr := dst.Close(); cerr != nil || isPathError(err) {
		return n, diskError(errors.Join(err, cerr))
	}
	switch {
	case err != nil:
		return n, refuse(CodeUnzip, "%q cannot be unpacked", clean(e.Name, 200)).WithCause(err)
	case n > limit:
		return n, tooLarge("%q unpacks to more than is allowed", clean(e.Name, 200))
	}
	return n, nil
}

// flatten returns the folder to use as the bundle: the one folder that wraps
// everything, if the archive was made that way, else dir itself.
func (d *Device) flatten(dir string) (string, error) {
	list, err := fs.ReadDir(d.root.FS(), dir)
	if err != nil {
		return "", diskError(err)
	}
	if len(list) == 1 && list[0].IsDir() && d.cfg.Platform != Electron {
		return dir + "/" + list[0].Name(), nil
	}
	return dir, nil
}
