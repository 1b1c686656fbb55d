package publish

import (
	"context"
	"io"
	"strings"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/pack"
	"github.com/waxwing-ota/waxwing/internal/core/seal"
)

// Source is the part of the admin API that reads what is published.
type Source interface {
	Bundle(ctx context.Context, app, version string) (ota.Bundle, error)
	VariantFiles(ctx context.Context, app, version, keyID string) (ota.Variant, error)
	OpenBlob(ctx context.Context, app string, d ota.Digest) (body io.ReadCloser, size int64, err error)
	documentSource
}

// Published names a variant of a published bundle.
type Published struct {
	App, Version string
	Key          *seal.PublicKey // nil = the plain variant
	Limits       pack.Limits
	TempDir      string
	Progress     Progress // nil = nobody listens
	Epoch        int64    // that the content key given to VerifyAll is of
}

func (p Published) keyID() string {
	if p.Key == nil {
		return ""
	}
	return p.Key.ID()
}

// parallelChecks is how many files are fetched and checked side by side.
const parallelChecks = 4

// Verify fetches a published variant and checks it the way a device would. What
// a device would refuse is in the report; an error means that the check itself
// could not be done.
func Verify(ctx context.Context, c Source, p Published) (*Report, error) {
	if p.Progress == nil {
		p.Progress = silent{}
	}
	b, err := c.Bundle(ctx, p.App, p.Version)
	if err != nil {
		return nil, err
	}
	v, err := c.VariantFiles(ctx, p.App, p.Version, p.keyID())
	if err != nil {
		return nil, err
	}
	rep := newReport()
	rep.foreign = b.Tree.IsZero()
	rep.App, rep.Version, rep.KeyID = p.App, p.Version, p.keyID()
	inZip, err := verifyZip(ctx, c, p, v, rep)
	if err != nil {
		return nil, err
	}
	if len(v.Files) > 0 {
		if err := verifyFiles(ctx, c, p, v, inZip, rep); err != nil {
			return nil, err
		}
	}
	if rep.Zip == nil && len(v.Files) == 0 && v.ExternalURL == "" && len(rep.Problems) == 0 {
		rep.fault("zip", bad("nothing_published", "there is neither a zip nor a file list"))
	}
	if err := verifyDocuments(ctx, c, p, b, rep); err != nil {
		return nil, err
	}
	return rep.close(), nil
}

// verifyZip checks the zip and returns the hashes of its files, nil if there
// is nothing to compare with.
func verifyZip(ctx context.Context, c Source, p Published, v ota.Variant, rep *Report) (map[string]ota.Digest, error) {
	switch {
	case v.ExternalURL != "":
		rep.note("the zip is at %s, outside the server: fetch it and use --file", v.ExternalURL)
		return nil, nil
	case v.Zip.IsZero():
		rep.note("there is no zip: devices that take no file list get nothing")
		return nil, nil
	}
	p.Progress.Phase("checking the zip")
	body, _, err := c.OpenBlob(ctx, p.App, v.Zip)
	if err != nil {
		if ota.KindOf(err) == ota.KindNotFound {
			rep.fault("zip", err)
			return nil, nil
		}
		return nil, err
	}
	defer body.Close()
	return checkZip(ctx, sealedZip{body, v.Zip, v.Checksum, v.ChecksumV2, v.SessionKey}, p, rep)
}

// checkZip opens a zip and reports on it.
func checkZip(ctx context.Context, s sealedZip, p Published, rep *Report) (map[string]ota.Digest, error) {
	o, err := open(ctx, s, p.Key, p.Limits, p.TempDir)
	if err != nil {
		return nil, rep.faultUnlessBroken(ctx, "zip", err)
	}
	defer o.close()
	sums, err := o.hashes()
	if err != nil {
		return nil, rep.faultUnlessBroken(ctx, "zip", err)
	}
	rep.Zip = &ZipCheck{Size: o.size, PlainSize: o.spool.size, SHA256: o.sum, Entries: len(sums)}
	return sums, nil
}

// faultUnlessBroken adds err to the report if it speaks of the content, and
// returns it if it speaks of the way there.
func (r *Report) faultUnlessBroken(ctx context.Context, object string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if k := ota.KindOf(err); k != ota.KindInvalid && k != ota.KindTooLarge && k != ota.KindNotFound || ota.CodeOf(err) == codeTemp {
		return err
	}
	r.fault(object, err)
	return nil
}

// verifyFiles checks every entry of the file list, and that it lists what the
// zip holds.
func verifyFiles(ctx context.Context, c Source, p Published, v ota.Variant, inZip map[string]ota.Digest, rep *Report) error {
	p.Progress.Phase("checking %d files", len(v.Files))
	var session seal.Session
	if p.Key != nil {
		var err error
		if session, err = p.Key.OpenSession(v.SessionKey); err != nil {
			rep.fault("session_key", err)
			return nil
		}
	}
	seen := map[string]ota.Digest{}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(parallelChecks)
	var done atomic.Int64
	for _, f := range v.Files {
		path, want, err := readEntry(f, p.Key, seen)
		if err != nil {
			rep.fault(f.Name, err)
			continue
		}
		seen[path] = want
		g.Go(func() error {
			if err := verifyFile(ctx, c, p, session, f, want); err != nil {
				return rep.faultUnlessBroken(ctx, f.Name, err)
			}
			rep.good(f.StoredSize)
			p.Progress.Update("%d/%d", done.Add(1), len(v.Files))
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	compare(seen, inZip, rep)
	return nil
}

// readEntry returns where a device puts an entry and what it expects there.
func readEntry(f ota.VariantFile, key *seal.PublicKey, seen map[string]ota.Digest) (path string, want ota.Digest, err error) {
	path = strings.TrimSuffix(f.Name, ".br")
	if err := pack.CheckPath(path); err != nil {
		return path, want, err
	}
	if _, twice := seen[path]; twice {
		return path, want, bad("path_duplicate", "two entries lead to %s", path)
	}
	if key == nil {
		want, err = ota.ParseDigest(f.WireHash)
	} else {
		want, err = key.OpenHash(f.WireHash)
	}
	return path, want, err
}

// verifyFile fetches one stored file, opens it and compares its hash.
func verifyFile(ctx context.Context, c Source, p Published, session seal.Session, f ota.VariantFile, want ota.Digest) error {
	body, _, err := c.OpenBlob(ctx, p.App, f.Blob)
	if err != nil {
		return err
	}
	defer body.Close()
	limit := p.Limits.Filled().MaxFileSize
	stored, err := io.ReadAll(io.LimitReader(body, limit+1))
	switch {
	case err != nil:
		return ota.Errorf(ota.KindUnavailable, "download_broken", "the download of %s broke off", f.Name).WithCause(err).WithHint("run it again")
	case int64(len(stored)) > limit:
		return ota.Errorf(ota.KindTooLarge, "file_too_large", "%s is over %s", f.Name, Bytes(limit)).WithHint("publish it in smaller parts")
	case ota.Sum(stored) != f.Blob:
		return bad("blob_mismatch", "the stored bytes are not those the server names")
	}
	plain, err := openStored(f.Name, stored, p.Key != nil, session, limit)
	if err != nil {
		return err
	}
	if got := ota.Sum(plain); got != want {
		return bad("hash_mismatch", "it has SHA-256 %s, the file list says %s", got, want)
	}
	return nil
}

// openStored turns the stored bytes of an entry into the content of the file.
func openStored(name string, stored []byte, encrypted bool, session seal.Session, limit int64) ([]byte, error) {
	if encrypted {
		var err error
		if stored, err = session.DecryptBytes(stored); err != nil {
			return nil, err
		}
		if len(stored) == 0 {
			return nil, bad("file_empty_sealed", "%s decrypts to nothing, which devices take for an error", name)
		}
	}
	if strings.HasSuffix(name, ".br") {
		return pack.Decode(stored, limit)
	}
	return stored, nil
}

// compare says where the file list and the zip are not the same content.
func compare(listed, inZip map[string]ota.Digest, rep *Report) {
	if inZip == nil {
		return
	}
	for path, d := range listed {
		if z, ok := inZip[path]; !ok {
			rep.fault(path, bad("not_in_zip", "the file list has it, the zip does not"))
		} else if z != d {
			rep.fault(path, bad("zip_differs", "the file list and the zip have different content for it"))
		}
	}
	for path := range inZip {
		if _, ok := listed[path]; ok {
			continue
		}
		if rep.foreign { // other tools leave out what they think nobody needs
			rep.note("%s is in the zip and not in the file list", path)
			continue
		}
		rep.fault(path, bad("not_listed", "the zip has it, the file list does not"))
	}
}

// Loose names a zip that lies on this machine, with what devices are told
// about it.
type Loose struct {
	Body       io.Reader
	Checksum   string
	SessionKey string          // "" = plain
	Key        *seal.PublicKey // nil = plain
	Limits     pack.Limits
	TempDir    string
}

// VerifyLoose checks a zip that any tool made, without a server.
func VerifyLoose(ctx context.Context, l Loose) (*Report, error) {
	rep := newReport()
	p := Published{Key: l.Key, Limits: l.Limits, TempDir: l.TempDir}
	rep.KeyID = p.keyID()
	if _, err := checkZip(ctx, sealedZip{body: l.Body, checksum: l.Checksum, sessionKey: l.SessionKey}, p, rep); err != nil {
		return nil, err
	}
	return rep.close(), nil
}
