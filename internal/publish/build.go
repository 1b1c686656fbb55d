package publish

import (
	"context"
	"io/fs"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/pack"
)

// parallelFiles is how many files are compressed and signed side by side.
const parallelFiles = 2

// job is one file content to be packed, with the variants that lack it.
type job struct {
	file     ota.TreeFile
	need     content
	variants []*variant
}

// jobs lists what is to be packed, each content once.
func (p *push) jobs() []*job {
	if p.o.NoManifest {
		return nil
	}
	var list []*job
	at := map[content]*job{}
	for _, f := range p.scan.Files {
		for _, v := range p.variants {
			if _, ok := v.has(f); ok {
				continue
			}
			need := v.needs(f)
			j := at[need]
			if j == nil {
				j = &job{file: f, need: need}
				at[need] = j
				list = append(list, j)
			}
			if n := len(j.variants); n == 0 || j.variants[n-1] != v {
				j.variants = append(j.variants, v)
			}
		}
	}
	return list
}

// upload packs and sends every missing file, and the zip of each variant
// beside them. The first failure ends it.
func (p *push) upload(ctx context.Context) error {
	jobs := p.jobs()
	p.progress.Phase("packing and uploading %d of %d files", len(jobs), len(p.scan.Files))
	g, ctx := errgroup.WithContext(ctx)
	sends := make(chan func() error)
	g.Go(func() error {
		defer close(sends)
		return p.packAll(ctx, jobs, sends)
	})
	g.Go(func() error { return p.uploadZips(ctx) })
	for range parallelUploads {
		g.Go(func() error {
			for send := range sends {
				if err := send(); err != nil {
					return err
				}
			}
			return nil
		})
	}
	err := g.Wait()
	p.result.Uploaded = Volume{Count: int(p.up.count.Load()), Bytes: p.up.bytes.Load()}
	return err
}

// packAll packs the jobs and hands the uploads on, so that little is in memory.
func (p *push) packAll(ctx context.Context, jobs []*job, sends chan<- func() error) error {
	var g errgroup.Group // an error ends ctx through the group of the caller
	g.SetLimit(parallelFiles)
	var failed atomic.Bool
	var done atomic.Int64
	for _, j := range jobs {
		g.Go(func() error {
			if failed.Load() {
				return nil
			}
			if err := p.packOne(ctx, j, sends); err != nil {
				failed.Store(true)
				return err
			}
			p.progress.Update("%d/%d files, %s", done.Add(1), len(jobs), Bytes(p.up.bytes.Load()))
			return nil
		})
	}
	return g.Wait()
}

func (p *push) packOne(ctx context.Context, j *job, sends chan<- func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	plain, err := fs.ReadFile(p.o.Dir, j.file.Path)
	if err != nil {
		return ota.Invalid("file_unreadable", "cannot read %s: %s", j.file.Path, err).WithHint("check that it exists and that you may read it")
	}
	if ota.Sum(plain) != j.file.Hash {
		return ota.Conflict("file_changed", "%s changed while it was being published", j.file.Path).
			WithHint("let the build finish, then push again")
	}
	packed, brotli := pack.Encode(j.file.Path, plain, j.need.brotli)
	for _, v := range j.variants {
		stored, blob, err := v.seal(packed, brotli, j.file)
		if err != nil {
			return err
		}
		v.store(j.need, stored)
		select {
		case sends <- func() error { return p.up.send(ctx, stored.Blob, blob) }:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// uploadZips makes the zip once and uploads it in the form of each variant.
func (p *push) uploadZips(ctx context.Context) (err error) {
	if len(p.variants) == 0 {
		return nil
	}
	plain, err := newSpool(ctx, p.o.TempDir)
	if err != nil {
		return err
	}
	defer plain.close()
	if err := pack.WriteZip(plain, p.o.Dir, p.scan.Files); err != nil {
		return err
	}
	sum, err := plain.finish()
	if err != nil {
		return err
	}
	for _, v := range p.variants {
		if err := p.uploadZip(ctx, v, plain, sum); err != nil {
			return err
		}
	}
	return nil
}

func (p *push) uploadZip(ctx context.Context, v *variant, plain *spool, sum ota.Digest) error {
	if v.key == nil {
		v.zip = ota.Variant{Checksum: sum.String(), Zip: sum, ZipSize: plain.size}
		return p.up.sendFile(ctx, sum, plain.f, plain.size)
	}
	var err error
	if v.zip.Checksum, err = v.key.SealHash(sum); err != nil {
		return err
	}
	if v.zip.ChecksumV2, err = v.key.SealHashV2(sum); err != nil {
		return err
	}
	sealed, err := newSpool(ctx, p.o.TempDir)
	if err != nil {
		return err
	}
	defer sealed.close()
	if _, err := v.session.Encrypt(sealed, plain.reader()); err != nil {
		return err
	}
	if v.zip.Zip, err = sealed.finish(); err != nil {
		return err
	}
	v.zip.ZipSize = sealed.size
	return p.up.sendFile(ctx, v.zip.Zip, sealed.f, sealed.size)
}
