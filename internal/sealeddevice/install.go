package sealeddevice

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"

	"github.com/waxwing-ota/waxwing/internal/core/cobblestone"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
	"github.com/waxwing-ota/waxwing/internal/core/sealed/admit"
	"github.com/waxwing-ota/waxwing/internal/core/sealed/lifecycle"
)

// Intaken counts where the files of a bundle came from.
type Intaken struct {
	Kept    int   `json:"kept"`    // the device had them
	Patched int   `json:"patched"` // made from an earlier version
	Fetched int   `json:"fetched"`
	Bytes   int64 `json:"bytes"` // downloaded, patches included
}

// intake is one bundle on its way in.
type intake struct {
	d     *Device
	admit *admit.Intake
	plan  *admit.Plan
	dir   string            // where it grows
	old   map[string]string // SHA-256 of a file that is here → its path below the folder
	out   Intaken
}

// install fetches a bundle, admits every file, and makes it the next one. It goes
// on where it was cut off: what is there already is admitted anew, not trusted.
func (d *Device) install(ctx context.Context, plan *admit.Plan, m *sealed.Manifest) (Intaken, error) {
	d.offered(plan, m)
	key, err := d.contentKey(ctx, plan, m)
	if err != nil {
		return Intaken{}, err
	}
	admission, err := plan.Intake(key)
	if err != nil {
		return Intaken{}, err
	}
	in := &intake{d: d, admit: admission, plan: plan, dir: path.Join(intakeDir, plan.SHA256()), old: d.have()}
	if err := in.prepare(); err != nil {
		return in.out, err
	}
	for _, f := range admission.Remaining() {
		if err := in.file(ctx, f); err != nil {
			d.failedDownload(ctx, plan, m, err)
			return in.out, err
		}
	}
	verified, err := in.finish()
	if err != nil {
		return in.out, err
	}
	step, err := d.state.Prepare(verified)
	if err != nil {
		return in.out, err
	}
	step.Reports = append(step.Reports,
		lifecycle.Report{Event: sealed.EventDownloaded, Slot: lifecycle.Slot{Manifest: plan.SHA256(), Seq: m.Seq}},
		lifecycle.Report{Event: sealed.EventVerified, Slot: lifecycle.Slot{Manifest: plan.SHA256(), Seq: m.Seq}})
	d.cfg.Step("prepare")
	return in.out, d.take(step)
}

// prepare makes the folder, and drops those of bundles that are wanted no more.
func (in *intake) prepare() error {
	root := in.d.disk.root
	entries, err := fs.ReadDir(root.FS(), intakeDir)
	if err != nil {
		return diskError("read its folder", err)
	}
	for _, e := range entries {
		if name := path.Join(intakeDir, e.Name()); name != in.dir && name != blobsDir {
			if err := root.RemoveAll(name); err != nil {
				return diskError("remove an old download", err)
			}
		}
	}
	if err := root.MkdirAll(path.Join(in.dir, wwwDir), 0o700); err != nil {
		return diskError("make a folder", err)
	}
	// A file that the manifest does not list would make the bundle another one.
	present, err := in.d.disk.list(path.Join(in.dir, wwwDir))
	if err != nil {
		return diskError("read its folder", err)
	}
	m := in.plan.Manifest()
	for _, p := range present {
		if m.File(p) == nil {
			if err := root.Remove(path.Join(in.dir, wwwDir, p)); err != nil {
				return diskError("remove an old download", err)
			}
		}
	}
	return nil
}

// have lists the files of bundles on the device by their hash, as their manifests
// say it; whoever uses one compares it.
func (d *Device) have() map[string]string {
	files := map[string]string{}
	for _, name := range d.state.Keep() {
		raw, err := d.disk.read(path.Join(bundlesDir, name, manifestFile), sealed.MaxManifest+1)
		if err != nil || sealed.HashOf(raw) != name {
			continue
		}
		m, err := sealed.Parse[sealed.Manifest](raw)
		if err != nil {
			continue
		}
		for _, f := range m.Files {
			files[f.SHA256] = path.Join(bundlesDir, name, wwwDir, f.Path)
		}
	}
	return files
}

// file admits one file: what is there from before, a copy of the same file, a patch,
// or the whole of it.
func (in *intake) file(ctx context.Context, f sealed.File) error {
	in.d.cfg.Step("file " + f.Path)
	to := path.Join(in.dir, wwwDir, f.Path)
	if in.keep(f, to, "") {
		return nil
	}
	if from, ok := in.old[f.SHA256]; ok && in.keep(f, from, to) {
		return nil
	}
	if done, err := in.patch(ctx, f, to); done || err != nil {
		return err
	}
	if err := in.whole(ctx, f, to); err != nil {
		return err
	}
	in.old[f.SHA256] = to // another file with the same content needs no download
	return nil
}

// keep admits a file that is there; with to it is copied as well.
func (in *intake) keep(f sealed.File, from, to string) bool {
	src, err := in.d.disk.root.Open(from)
	if err != nil {
		return false
	}
	defer src.Close()
	if to == "" {
		err = in.admit.Keep(f.Path, src, io.Discard)
	} else {
		err = in.write(to, func(w io.Writer) error { return in.admit.Keep(f.Path, src, w) })
	}
	if err != nil {
		return false
	}
	in.out.Kept++
	return true
}

func (in *intake) write(to string, fill func(io.Writer) error) error {
	if err := in.d.disk.root.MkdirAll(path.Dir(to), 0o700); err != nil {
		return diskError("make a folder", err)
	}
	return in.d.disk.write(to, fill)
}

// patch admits a file from an earlier version, if a patch exists and works.
func (in *intake) patch(ctx context.Context, f sealed.File, to string) (bool, error) {
	patches := in.plan.Patches(f.Path, func(sha string) bool { _, ok := in.old[sha]; return ok })
	for _, p := range patches {
		err := in.blob(ctx, p.Blob, p.EncSize, func(stored io.ReadSeeker) error {
			var old io.Reader
			if from, ok := in.old[p.From]; ok {
				src, err := in.d.disk.root.Open(from)
				if err != nil {
					return err
				}
				defer src.Close()
				old = src
			}
			return in.write(to, func(w io.Writer) error { return in.admit.Patch(p, stored, old, w) })
		})
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		if err == nil {
			in.out.Patched++
			return true, nil
		}
	}
	return false, nil // the whole file is there for that
}

func (in *intake) whole(ctx context.Context, f sealed.File, to string) error {
	err := in.blob(ctx, f.Blob, f.EncSize, func(stored io.ReadSeeker) error {
		return in.write(to, func(w io.Writer) error { return in.admit.Blob(f.Path, stored, w) })
	})
	if err == nil {
		in.out.Fetched++
	}
	return err
}

// blob fetches stored bytes, going on where an earlier try ended, and has use admit
// them. A server whose bytes are refused is followed by the next.
func (in *intake) blob(ctx context.Context, name string, size int64, use func(io.ReadSeeker) error) error {
	part := path.Join(blobsDir, name)
	f, err := in.d.disk.root.OpenFile(part, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return diskError("write a download", err)
	}
	had, err := f.Seek(0, io.SeekEnd)
	if err == nil {
		err = in.d.download(ctx, "blobs/"+name, f, size, func() error {
			in.d.cfg.Step("blob " + name)
			if _, err := f.Seek(0, io.SeekStart); err != nil {
				return err
			}
			return use(f)
		})
	}
	cerr := f.Close()
	if err != nil || cerr != nil {
		return errors.Join(err, cerr)
	}
	in.out.Bytes += size - min(had, size)
	return in.d.disk.root.Remove(part)
}

// finish admits the bundle as a whole and gives it its name.
func (in *intake) finish() (admit.Verified, error) {
	var none admit.Verified
	present, err := in.d.disk.list(path.Join(in.dir, wwwDir))
	if err != nil {
		return none, diskError("read its folder", err)
	}
	v, err := in.admit.Finish(present)
	if err != nil {
		return none, err
	}
	in.d.cfg.Step("finish")
	if err := in.d.disk.replace(path.Join(in.dir, manifestFile), in.plan.Raw()); err != nil {
		return none, err
	}
	if err := in.d.disk.flushAll(in.dir); err != nil {
		return none, err
	}
	home := path.Join(bundlesDir, in.plan.SHA256())
	in.d.cfg.Step("name")
	// A folder of that name is one that nothing runs from: this bundle would not be
	// fetched if it were current. One that is damaged is replaced.
	if err := in.d.disk.root.RemoveAll(home); err != nil {
		return none, diskError("remove an old bundle", err)
	}
	if err := in.d.disk.root.Rename(in.dir, home); err != nil {
		return none, diskError("name a bundle", err)
	}
	return v, errors.Join(in.d.disk.flush(bundlesDir), in.d.disk.flush(intakeDir))
}

// contentKey asks for the key of a bundle's epoch, if it is encrypted.
func (d *Device) contentKey(ctx context.Context, plan *admit.Plan, m *sealed.Manifest) (cobblestone.Key, error) {
	if m.Encryption.Mode == sealed.EncryptionNone {
		return cobblestone.Key{}, nil
	}
	return d.askGrant(ctx, plan.SHA256(), m.Encryption.Epoch)
}
