package control

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/pack"
	"github.com/waxwing-ota/waxwing/internal/core/seal"
)

// ImportBundle registers a bundle that another tool made: an address it is
// served from, an uploaded zip, or uploaded files. The same import again
// changes nothing (created is false). Unchecked skips all but what keeps the
// server itself sound: it is there to reproduce what other servers hold.
func (s *Service) ImportBundle(ctx context.Context, actor ota.Actor, app string, in ota.ImportBundle) (b ota.Bundle, created bool, err error) {
	va := in.Variant
	va.ID = 0
	b = ota.Bundle{
		App: app, Version: in.Version, MinNative: in.MinNative, Link: in.Link, Comment: in.Comment,
		FileCount: len(va.Files), CreatedAt: s.nowMS(), CreatedBy: string(actor),
	}
	if err := ota.CheckVersionName(in.Version); err != nil {
		return b, false, err
	}
	if err := checkAbout(&b); err != nil {
		return b, false, err
	}
	if have, err := s.imported(ctx, app, in.Version, &va); have != nil || err != nil {
		return orZero(have), false, err
	}
	s.blobsInUse.RLock()
	defer s.blobsInUse.RUnlock()
	v, err := s.verifier(ctx, s.store, app)
	if err != nil {
		return b, false, err
	}
	if err := v.imported(ctx, &va, in.Unchecked); err != nil {
		return b, false, err
	}
	for _, f := range va.Files {
		b.Size += f.Size
	}
	b.Variants = []ota.Variant{va}
	return s.insert(ctx, actor, b, nil, nil, nil)
}

// imported returns the bundle that has the version, if it is this very import.
func (s *Service) imported(ctx context.Context, app, version string, va *ota.Variant) (*ota.Bundle, error) {
	have, err := findBundle(ctx, s.store, app, version)
	if ota.CodeOf(err) == CodeBundleNotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if have.DeletedAt == 0 && have.Tree.IsZero() && have.FileCount == len(va.Files) && len(have.Variants) == 1 {
		h := have.Variants[0]
		if h.KeyID == va.KeyID && h.SessionKey == va.SessionKey && h.Checksum == va.Checksum &&
			h.ExternalURL == va.ExternalURL && h.Zip == va.Zip {
			return &have, nil
		}
	}
	return nil, ota.Conflict(CodeVersionExists, "version %s is taken", version).WithField("version").
		WithHint("a version never changes once devices may have it: use another")
}

// imported checks an import and fills in what the blobs tell.
func (v *verifier) imported(ctx context.Context, va *ota.Variant, unchecked bool) error {
	if err := v.importedContent(ctx, va); err != nil {
		return err
	}
	for _, text := range []string{va.KeyID, va.SessionKey, va.Checksum, va.ChecksumV2} {
		if len(text) > 4096 {
			return ota.Invalid(CodeTextTooLong, "keys and checksums have at most 4096 characters").WithField("variant")
		}
	}
	if unchecked {
		return nil
	}
	if va.ExternalURL == "" && va.Zip.IsZero() && len(va.Files) == 0 {
		return ota.Invalid(CodeImportInvalid, "an import needs an external_url, an uploaded zip or uploaded files").WithField("variant")
	}
	if va.SessionKey == "" && va.KeyID == "" && len(v.keys) > 0 && !v.app.AllowPlain {
		return ota.Invalid(CodePlainRefused, "app %q has a key and takes only signed bundles", v.app.ID).WithField("variant").
			WithHint("allow plain bundles on the app, or import one that is signed")
	}
	if va.SessionKey == "" {
		return plainImport(va)
	}
	return v.sealedImport(va)
}

// importedContent checks what the server itself relies on.
func (v *verifier) importedContent(ctx context.Context, va *ota.Variant) error {
	if va.ExternalURL != "" {
		if err := checkURL("external_url", va.ExternalURL); err != nil {
			return err
		}
	}
	va.ZipSize = 0
	if !va.Zip.IsZero() {
		var err error
		if va.ZipSize, err = v.size(ctx, "the zip", va.Zip); err != nil {
			return err
		}
	}
	if limit := (pack.Limits{}).Filled().MaxFiles; len(va.Files) > limit {
		return ota.Invalid(CodeImportInvalid, "a bundle has at most %d files", limit).WithField("variant")
	}
	seen := map[string]bool{}
	for i := range va.Files {
		f := &va.Files[i]
		path, brotli := strings.CutSuffix(f.Name, ".br")
		if err := pack.CheckPath(path); err != nil {
			return err
		}
		f.Brotli = brotli
		if key := pack.PathKey(path); seen[key] {
			return ota.Invalid(CodeImportInvalid, "%q comes twice", path).WithField("variant")
		} else {
			seen[key] = true
		}
		if f.Size < 0 || f.WireHash == "" || len(f.WireHash) > 1024 {
			return ota.Invalid(CodeImportInvalid, "%q needs a size of 0 or more and a wire_hash", f.Name).WithField("variant")
		}
		var err error
		if f.StoredSize, err = v.size(ctx, f.Name, f.Blob); err != nil {
			return err
		}
	}
	return nil
}

// size returns how long a blob that must be there is.
func (v *verifier) size(ctx context.Context, what string, d ota.Digest) (int64, error) {
	size, ok, err := v.blobs.Has(ctx, d)
	if err == nil && !ok {
		err = ota.Conflict(CodeBlobMissing, "%s is not uploaded (blob %s)", what, d).WithHint("upload it first")
	}
	return size, err
}

// plainImport checks the forms that current devices take from a plain bundle.
func plainImport(va *ota.Variant) error {
	if va.KeyID != "" {
		return ota.Invalid(CodeImportInvalid, "key_id goes with a session_key").WithField("variant")
	}
	if !isHex(va.Checksum, 64) {
		return ota.Invalid(CodeChecksumMismatch, "the checksum of a plain bundle is 64 lower-case hex digits").WithField("variant").
			WithHint("it is the SHA-256 of the zip; CRC-32 checksums of old tools are refused by every current device")
	}
	if !va.Zip.IsZero() && va.Checksum != va.Zip.String() {
		return ota.Invalid(CodeChecksumMismatch, "the zip has another SHA-256 than the checksum says").WithField("variant")
	}
	for _, f := range va.Files {
		if !isHex(f.WireHash, 64) {
			return ota.Invalid(CodeChecksumMismatch, "the wire_hash of %q is not 64 lower-case hex digits", f.Name).WithField("variant")
		}
	}
	return nil
}

// sealedImport checks an encrypted import: against the key if it is registered,
// else that the forms are those a current device takes.
func (v *verifier) sealedImport(va *ota.Variant) error {
	if k := findKey(v.keys, va.KeyID); k != nil {
		pub, err := seal.ParsePublicKey([]byte(k.PublicPEM))
		if err != nil {
			return err
		}
		return openImport(va, pub)
	}
	iv, key, _ := strings.Cut(va.SessionKey, ":")
	if !isBase64(iv, 16) || !isBase64(key, 256) {
		return ota.Invalid(CodeImportInvalid, "the session_key is not base64(IV):base64(RSA-2048 value)").WithField("variant")
	}
	if !isHex(va.Checksum, 512) {
		return ota.Invalid(CodeChecksumMismatch, "the checksum of an encrypted bundle is 512 lower-case hex digits").WithField("variant")
	}
	for _, f := range va.Files {
		if !isHex(f.WireHash, 512) {
			return ota.Invalid(CodeChecksumMismatch, "the wire_hash of %q is not 512 lower-case hex digits", f.Name).WithField("variant")
		}
	}
	return nil
}

func openImport(va *ota.Variant, pub *seal.PublicKey) error {
	if _, err := pub.OpenSession(va.SessionKey); err != nil {
		return wrongKey(err, va.KeyID, "session key")
	}
	if _, err := pub.OpenHash(va.Checksum); err != nil {
		return wrongKey(err, va.KeyID, "checksum")
	}
	for _, f := range va.Files {
		d, err := pub.OpenHash(f.WireHash)
		if err != nil {
			return wrongKey(err, va.KeyID, "hash of "+f.Name)
		}
		if !f.Hash.IsZero() && f.Hash != d {
			return ota.Invalid(CodeSignatureWrong, "the signed hash of %s opens to another hash", f.Name).WithField("variant")
		}
	}
	return nil
}

func isHex(s string, n int) bool {
	_, err := hex.DecodeString(s)
	return err == nil && len(s) == n && strings.ToLower(s) == s
}

func isBase64(s string, n int) bool {
	b, err := base64.StdEncoding.DecodeString(s)
	return err == nil && len(b) == n
}
