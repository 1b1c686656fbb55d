package publish

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Decrypted says what Decrypt wrote.
type Decrypted struct {
	App     string     `json:"app,omitempty"`
	Version string     `json:"version,omitempty"`
	Out     string     `json:"out"`
	SHA256  ota.Digest `json:"sha256"` // of the plain zip
	Files   int        `json:"files"`
}

// Decrypt fetches the zip of a published variant, checks it, and writes it
// plain: as a zip if out ends in ".zip", else as a folder that must not exist
// or be empty. Nothing is written if the check fails.
func Decrypt(ctx context.Context, c Source, p Published, out string) (Decrypted, error) {
	res := Decrypted{App: p.App, Version: p.Version, Out: out}
	v, err := c.VariantFiles(ctx, p.App, p.Version, p.keyID())
	if err != nil {
		return res, err
	}
	if v.Zip.IsZero() {
		return res, ota.NotFound("zip_missing", "version %s of %s has no zip on the server", p.Version, p.App).
			WithHint("it was imported without one; its files are fetched one by one by devices")
	}
	body, _, err := c.OpenBlob(ctx, p.App, v.Zip)
	if err != nil {
		return res, err
	}
	defer body.Close()
	err = res.write(ctx, sealedZip{body, v.Zip, v.Checksum, v.ChecksumV2, v.SessionKey}, p)
	return res, err
}

// DecryptLoose is Decrypt for a zip on this machine.
func DecryptLoose(ctx context.Context, l Loose, out string) (Decrypted, error) {
	res := Decrypted{Out: out}
	p := Published{Key: l.Key, Limits: l.Limits, TempDir: l.TempDir}
	err := res.write(ctx, sealedZip{body: l.Body, checksum: l.Checksum, sessionKey: l.SessionKey}, p)
	return res, err
}

func (d *Decrypted) write(ctx context.Context, s sealedZip, p Published) error {
	o, err := open(ctx, s, p.Key, p.Limits, p.TempDir)
	if err != nil {
		return err
	}
	defer o.close()
	d.SHA256 = o.sum
	for _, f := range o.files {
		if !strings.HasSuffix(f.Name, "/") {
			d.Files++
		}
	}
	if strings.HasSuffix(d.Out, ".zip") {
		return o.writeZip(d.Out)
	}
	return o.writeFolder(d.Out)
}

// writeZip writes the plain zip to a file that must not exist.
func (o *opened) writeZip(out string) error {
	f, err := os.OpenFile(out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return unwritable(out, err)
	}
	_, err = io.Copy(f, o.reader())
	if err = errors.Join(err, f.Close()); err != nil {
		_ = os.Remove(out)
		return unwritable(out, err)
	}
	return nil
}

// writeFolder extracts the zip. os.Root keeps every path below the folder.
func (o *opened) writeFolder(out string) error {
	if err := os.MkdirAll(out, 0o755); err != nil {
		return unwritable(out, err)
	}
	if entries, err := os.ReadDir(out); err != nil || len(entries) > 0 {
		return ota.Conflict("folder_not_empty", "the folder %s is not empty", out).
			WithField("out").WithHint("name a new folder, or one ending in .zip for the zip itself")
	}
	root, err := os.OpenRoot(out)
	if err != nil {
		return unwritable(out, err)
	}
	defer func() { _ = root.Close() }()
	for _, f := range o.files {
		if strings.HasSuffix(f.Name, "/") {
			continue
		}
		if err := root.MkdirAll(filepath.FromSlash(path.Dir(f.Name)), 0o755); err != nil {
			return unwritable(out, err)
		}
		r, err := f.Open()
		if err != nil {
			return bad("zip_invalid", "%s in the zip cannot be read: %s", f.Name, err)
		}
		w, err := root.OpenFile(filepath.FromSlash(f.Name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if err != nil {
			_ = r.Close()
			return unwritable(out, err)
		}
		_, err = io.Copy(w, r)
		if err = errors.Join(err, r.Close(), w.Close()); err != nil {
			return unwritable(out, err)
		}
	}
	return nil
}

func unwritable(path string, err error) error {
	if errors.Is(err, fs.ErrExist) {
		return ota.Conflict("file_exists", "%s exists already", path).WithField("out").WithHint("name another file, or remove that one")
	}
	return ota.Invalid("file_unwritable", "cannot write %s: %s", path, err).WithField("out").
		WithHint("name a place that exists, has room, and that you may write to")
}
