package admit

import (
	"bytes"
	"io"
	"slices"

	"github.com/waxwing-ota/waxwing/internal/core/delta"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
)

// Patches lists the patches of the manifest that make the file of a path: those
// from a file that the device has come first, in the manifest's order, then the
// one from nothing, which is the file compressed. have says whether the device
// has a file of that SHA-256. The device tries them in turn, then the whole file.
func (p *Plan) Patches(path string, have func(sha256 string) bool) []sealed.Patch {
	nothing := delta.Nothing().String()
	var list, last []sealed.Patch
	for _, c := range p.manifest.Patches {
		switch {
		case c.Path != path || c.Format != sealed.PatchZstd || c.Size > delta.MaxFile:
		case c.From == nothing:
			last = append(last, c)
		case have != nil && have(c.From):
			list = append(list, c)
		}
	}
	return append(list, last...)
}

// Patch admits the file that a patch of the manifest makes of old, an earlier
// version of it; for a patch from nothing old may be nil. stored is the patch's
// blob and is read twice, as in [Intake.Blob]. Both old and new file are in memory
// meanwhile. What was written to dst is the file only if Patch returns nil.
func (in *Intake) Patch(patch sealed.Patch, stored io.ReadSeeker, old io.Reader, dst io.Writer) error {
	f, err := in.file(patch.Path)
	if err != nil {
		return err
	}
	if !slices.Contains(in.plan.manifest.Patches, patch) {
		return fail(CodeBlob, "the manifest has no such patch of %.200q", patch.Path)
	}
	if max(patch.Size, f.Size) > delta.MaxFile {
		return fail(CodeBlob, "patches are for files of at most %d MiB", delta.MaxFile>>20)
	}
	var plain bytes.Buffer
	if err := in.unseal(blob{patch.SHA256, patch.Size, patch.Blob, patch.EncSize}, stored, &plain); err != nil {
		return err
	}
	base, err := readBase(patch.From, old)
	if err != nil {
		return err
	}
	made, err := delta.Apply(base, plain.Bytes(), f.Size)
	if err != nil {
		return err
	}
	if err := copyExactly(dst, bytes.NewReader(made), f.Size, f.SHA256); err != nil {
		return err
	}
	in.good[patch.Path] = true
	return nil
}

// readBase reads the earlier version and checks that it is the one the patch is from.
func readBase(from string, old io.Reader) ([]byte, error) {
	if from == delta.Nothing().String() {
		return nil, nil
	}
	if old == nil {
		return nil, fail(CodeBlob, "the patch needs the earlier version of the file")
	}
	base, err := io.ReadAll(io.LimitReader(old, delta.MaxFile+1))
	if err != nil {
		return nil, err
	}
	if len(base) > delta.MaxFile || sealed.HashOf(base) != from {
		return nil, fail(CodeBlob, "the patch is from another version of the file than the one that is here")
	}
	return base, nil
}
