package admit

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/waxwing-ota/waxwing/internal/core/cobblestone"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
)

// Intake admits the files of a plan, in any order. A file that was refused may
// be tried again. It is not for concurrent use.
type Intake struct {
	plan *Plan
	key  cobblestone.Key
	good map[string]bool // by path
}

// Intake begins to admit files. key is the content key of the manifest's epoch,
// and zero for bundles that are not encrypted.
func (p *Plan) Intake(key cobblestone.Key) (*Intake, error) {
	if p == nil || p.manifest == nil {
		return nil, fail(CodeUnverified, "there is no plan")
	}
	if encrypted := p.manifest.Encryption.Mode != sealed.EncryptionNone; encrypted == key.IsZero() {
		return nil, fail(CodeBlob, "an encrypted bundle needs its content key, and others have none")
	}
	return &Intake{plan: p, key: key, good: map[string]bool{}}, nil
}

// Blob admits the file of a path from its stored form. The stored bytes are read
// twice: their hash is checked before the first one is decrypted. What was
// written to dst is the file only if Blob returns nil. Errors of reading and
// writing are returned as they are.
func (in *Intake) Blob(path string, stored io.ReadSeeker, dst io.Writer) error {
	f, err := in.file(path)
	if err != nil {
		return err
	}
	if err := in.unseal(blob{f.SHA256, f.Size, f.Blob, f.EncSize}, stored, dst); err != nil {
		return err
	}
	in.good[path] = true
	return nil
}

// Keep admits the file of a path from a copy that the device has already, such
// as that of the bundle that runs.
func (in *Intake) Keep(path string, plain io.Reader, dst io.Writer) error {
	f, err := in.file(path)
	if err != nil {
		return err
	}
	if err := copyExactly(dst, plain, f.Size, f.SHA256); err != nil {
		return err
	}
	in.good[path] = true
	return nil
}

func (in *Intake) file(path string) (*sealed.File, error) {
	f := in.plan.manifest.File(path)
	if f == nil {
		return nil, fail(CodeFiles, "%.200q is no file of the bundle", path)
	}
	in.good[path] = false
	return f, nil
}

// blob is what the manifest says of the stored form of something.
type blob struct {
	plain  string
	size   int64
	stored string
	enc    int64
}

// unseal checks the stored bytes, then decrypts them to dst and checks those.
func (in *Intake) unseal(b blob, stored io.ReadSeeker, dst io.Writer) error {
	if err := copyExactly(io.Discard, stored, b.enc, b.stored); err != nil {
		return err
	}
	if _, err := stored.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("read a blob again: %w", err)
	}
	if in.plan.manifest.Encryption.Mode == sealed.EncryptionNone {
		return copyExactly(dst, stored, b.size, b.plain)
	}
	plain, err := ota.ParseDigest(b.plain)
	if err != nil {
		return err
	}
	c := cobblestone.Blob{Epoch: in.key, App: in.plan.manifest.App, Plain: plain, Size: b.size}
	return c.Open(dst, stored)
}

// copyExactly copies size bytes and demands that there are no more and that they
// have the hash. It never reads further than one byte after them.
func copyExactly(dst io.Writer, src io.Reader, size int64, hash string) error {
	h := sha256.New()
	n, err := io.Copy(io.MultiWriter(dst, h), io.LimitReader(src, size))
	if err != nil {
		return fmt.Errorf("copy a file: %w", err)
	}
	var more [1]byte
	switch extra, err := io.ReadFull(src, more[:]); {
	case extra > 0:
		return fail(CodeBlob, "there are more bytes than the %d that the manifest says", size)
	case !errors.Is(err, io.EOF):
		return fmt.Errorf("copy a file: %w", err)
	}
	if n != size || hex.EncodeToString(h.Sum(nil)) != hash {
		return fail(CodeBlob, "the bytes are not those that the manifest names")
	}
	return nil
}

// Remaining lists the files that were not admitted yet.
func (in *Intake) Remaining() []sealed.File {
	var list []sealed.File
	for _, f := range in.plan.manifest.Files {
		if !in.good[f.Path] {
			list = append(list, f)
		}
	}
	return list
}

// Finish makes a Verified once every file was admitted. present lists the files
// that are where the bundle will run from, by their paths; they must be those of
// the manifest, no more and no fewer.
func (in *Intake) Finish(present []string) (Verified, error) {
	m := in.plan.manifest
	if left := in.Remaining(); len(left) > 0 {
		return Verified{}, fail(CodeFiles, "%d files were not admitted, such as %.200q", len(left), left[0].Path)
	}
	if err := closedList(m, present); err != nil {
		return Verified{}, err
	}
	if sealed.TreeHash(m.Files) != m.Tree {
		return Verified{}, fail(CodeFiles, "the files together are not the tree that was signed")
	}
	return Verified{&facts{
		app: m.App, manifest: in.plan.hash, seq: m.Seq, floor: m.Floor, class: m.Class, version: m.Version, tree: m.Tree,
	}}, nil
}

// closedList refuses files that a manifest does not list, or lists and are not there.
func closedList(m *sealed.Manifest, present []string) error {
	have := slices.Clone(present)
	slices.Sort(have)
	for i, path := range have {
		if i >= len(m.Files) || m.Files[i].Path != path {
			return fail(CodeFiles, "the files that are there are not those of the manifest: see %.200q", path)
		}
	}
	if len(have) != len(m.Files) {
		return fail(CodeFiles, "the file %.200q is not there", m.Files[len(have)].Path)
	}
	return nil
}
