package control

import (
	"context"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/pack"
	"github.com/waxwing-ota/waxwing/internal/core/seal"
	"github.com/waxwing-ota/waxwing/internal/driver/blob"
)

// verifier checks variants against an app's keys and the stored blobs.
type verifier struct {
	app   ota.App
	keys  []ota.Key
	store Reader
	blobs blob.Store
}

func (s *Service) verifier(ctx context.Context, r Reader, app string) (*verifier, error) {
	a, err := r.App(ctx, app)
	if err != nil {
		return nil, err
	}
	keys, err := r.Keys(ctx, app)
	return &verifier{app: a, keys: keys, store: r, blobs: s.blobs}, err
}

// bundle checks that every device will be able to open what it is given, as far
// as that can be known without a private key.
func (v *verifier) bundle(ctx context.Context, tree []ota.TreeFile, variants []ota.Variant) error {
	if err := checkKeys(v.app, v.keys, variants); err != nil {
		return err
	}
	for i := range variants {
		if err := v.variant(ctx, tree, &variants[i]); err != nil {
			return err
		}
	}
	return nil
}

func (v *verifier) variant(ctx context.Context, tree []ota.TreeFile, va *ota.Variant) error {
	name := variantName(va.KeyID)
	switch {
	case va.ExternalURL != "":
		return ota.Invalid(CodeVariantInvalid, "a published bundle has no external_url").WithField("variants").WithHint("import it instead")
	case va.Zip.IsZero() && len(va.Files) == 0:
		return ota.Invalid(CodeVariantInvalid, "the variant for %s has neither a zip nor files", name).WithField("variants")
	case len(va.Files) != 0 && len(va.Files) != len(tree):
		return ota.Invalid(CodeVariantInvalid, "the variant for %s has %d files, the bundle %d", name, len(va.Files), len(tree)).WithField("variants")
	}
	var pub *seal.PublicKey
	if va.KeyID != "" {
		var err error
		if pub, err = seal.ParsePublicKey([]byte(findKey(v.keys, va.KeyID).PublicPEM)); err != nil {
			return err
		}
	}
	if err := checkSums(va, pub); err != nil {
		return err
	}
	if !va.Zip.IsZero() {
		if err := v.present(ctx, "the zip of the variant for "+name, va.Zip, va.ZipSize); err != nil {
			return err
		}
	}
	return v.files(ctx, tree, va, pub)
}

// checkSums checks a variant's session key and checksums; pub is nil for a plain one.
func checkSums(va *ota.Variant, pub *seal.PublicKey) error {
	if pub == nil {
		switch {
		case va.SessionKey != "" || va.ChecksumV2 != "":
			return ota.Invalid(CodeVariantInvalid, "a plain variant has no session key and no second checksum").WithField("variants")
		case !isHex(va.Checksum, 64):
			return ota.Invalid(CodeChecksumMismatch, "the checksum of a plain variant is 64 lower-case hex digits").WithField("variants")
		case !va.Zip.IsZero() && va.Checksum != va.Zip.String():
			return ota.Invalid(CodeChecksumMismatch, "the checksum of a plain variant is the SHA-256 of its zip").WithField("variants")
		}
		return nil
	}
	if _, err := pub.OpenSession(va.SessionKey); err != nil {
		return wrongKey(err, va.KeyID, "session key")
	}
	d, err := pub.OpenHash(va.Checksum)
	if err != nil {
		return wrongKey(err, va.KeyID, "checksum")
	}
	d2, err := pub.OpenHashV2(va.ChecksumV2)
	if err != nil {
		return wrongKey(err, va.KeyID, "checksum for older clients")
	}
	if d != d2 {
		return ota.Invalid(CodeSignatureWrong, "the two checksums for %s open to different hashes", variantName(va.KeyID)).WithField("variants")
	}
	return nil
}

func wrongKey(err error, keyID, what string) error {
	return ota.Invalid(CodeSignatureWrong, "the %s does not open with the registered key %s", what, keyID).WithField("variants").
		WithHint("sign with the private key that belongs to it").WithCause(err)
}

// files checks the entries of a variant against the tree. Those known from an
// earlier bundle were checked then; opening a signature is the costly part.
func (v *verifier) files(ctx context.Context, tree []ota.TreeFile, va *ota.Variant, pub *seal.PublicKey) error {
	if len(va.Files) == 0 {
		return nil
	}
	known, err := v.known(ctx, tree, va)
	if err != nil {
		return err
	}
	for i := range va.Files {
		f := &va.Files[i]
		if fault := fileFault(&tree[i], f, pub != nil); fault != "" {
			return ota.Invalid(CodeVariantFile, "%q of the variant for %s %s", tree[i].Path, variantName(va.KeyID), fault).WithField("variants")
		}
		if err := v.present(ctx, tree[i].Path, f.Blob, f.StoredSize); err != nil {
			return err
		}
		if pub == nil {
			continue
		}
		if _, ok := known[stored{f.Hash, f.Blob, f.WireHash, f.Brotli}]; ok {
			continue
		}
		d, err := pub.OpenHash(f.WireHash)
		if err != nil {
			return wrongKey(err, va.KeyID, "hash of "+f.Name)
		}
		if d != f.Hash {
			return ota.Invalid(CodeSignatureWrong, "the signed hash of %s opens to another hash than the file has", f.Name).WithField("variants")
		}
	}
	return nil
}

// stored identifies a stored file that was checked.
type stored struct {
	hash, blob ota.Digest
	wire       string
	brotli     bool
}

func (v *verifier) known(ctx context.Context, tree []ota.TreeFile, va *ota.Variant) (map[stored]struct{}, error) {
	rows, err := v.store.StoredFiles(ctx, v.app.ID, ota.Encoding{KeyID: va.KeyID, SessionKey: va.SessionKey}, hashesOf(tree))
	if err != nil {
		return nil, err
	}
	known := make(map[stored]struct{}, len(rows))
	for _, f := range rows {
		known[stored{f.Hash, f.Blob, f.WireHash, f.Brotli}] = struct{}{}
	}
	return known, nil
}

// hashesOf lists each content once.
func hashesOf(tree []ota.TreeFile) []ota.Digest {
	seen := make(map[ota.Digest]struct{}, len(tree))
	out := make([]ota.Digest, 0, len(tree))
	for _, f := range tree {
		if _, ok := seen[f.Hash]; !ok {
			seen[f.Hash] = struct{}{}
			out = append(out, f.Hash)
		}
	}
	return out
}

// fileFault says what is wrong with an entry's form, or "".
func fileFault(t *ota.TreeFile, f *ota.VariantFile, encrypted bool) string {
	const block = 16 // AES
	switch {
	case f.Hash != t.Hash || f.Size != t.Size:
		return "is not the file of the tree"
	case f.Name != pack.WireName(t.Path, f.Brotli):
		return "is named " + f.Name
	case !formFits(t.Path, f, encrypted):
		return "must be stored with Brotli, or devices would damage it"
	case f.Blob.IsZero():
		return "names no blob"
	case encrypted && (f.StoredSize <= 0 || f.StoredSize%block != 0):
		return "is not stored in whole cipher blocks"
	case encrypted && !f.Brotli && f.StoredSize != (f.Size/block+1)*block:
		return "is not as long encrypted as its content demands"
	case !encrypted && f.WireHash != f.Hash.String():
		return "has a file hash that is not the SHA-256 of its content"
	case !encrypted && !f.Brotli && (f.Blob != f.Hash || f.StoredSize != f.Size):
		return "is stored as something else than its content"
	}
	return ""
}

// formFits reports whether devices can take the stored form for the path: they
// unpack whatever ends in .br, and cannot decrypt to nothing.
func formFits(path string, f *ota.VariantFile, encrypted bool) bool {
	return f.Brotli || !pack.NeedsBrotli(path) && (!encrypted || f.Size > 0)
}

// present checks that a blob is there whole.
func (v *verifier) present(ctx context.Context, what string, d ota.Digest, size int64) error {
	have, ok, err := v.blobs.Has(ctx, d)
	switch {
	case err != nil:
		return err
	case !ok:
		return ota.Conflict(CodeBlobMissing, "%s is not uploaded (blob %s)", what, d).WithHint("push again: only what is missing is uploaded")
	case have != size:
		return ota.Invalid(CodeVariantFile, "%s is said to be stored in %d bytes, its blob has %d", what, size, have).WithField("variants")
	}
	return nil
}
