package publish

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/pack"
	"github.com/waxwing-ota/waxwing/internal/core/seal"
)

// Importer is the part of the admin API that importing needs.
type Importer interface {
	blobs
	ImportBundle(ctx context.Context, app string, in ota.ImportBundle) (b ota.Bundle, created bool, err error)
}

// Foreign is a bundle that another tool made.
type Foreign struct {
	App, Version string

	Zip         string // path of the stored zip; "" = none
	ExternalURL string // where devices find the zip instead
	Checksum    string // as devices are told it; "" = the SHA-256 of a plain zip
	ChecksumV2  string // for older plug-ins; "" = the same
	SessionKey  string // "" = plain
	KeyID       string // of the signing key; "" = plain
	// Key is the public half of the signing key; nil = the checks that need it
	// are left out.
	Key   *seal.PublicKey
	Files []ForeignFile // file list; empty = none

	MinNative, Link, Comment string
	// Unchecked takes everything as it is, even what no device would.
	Unchecked bool
	Progress  Progress // nil = nobody listens
}

// ForeignFile is one entry of a file list and where its stored bytes are.
type ForeignFile struct {
	Name     string // wire file_name
	WireHash string // wire file_hash
	Path     string // of the stored bytes
}

// Import uploads a bundle that another tool made. Unless told not to, it opens
// all of it first, and refuses what a device would refuse.
func Import(ctx context.Context, c Importer, f Foreign) (ota.Bundle, bool, error) {
	if f.Progress == nil {
		f.Progress = silent{}
	}
	in := ota.ImportBundle{
		Version: f.Version, MinNative: f.MinNative, Link: f.Link, Comment: f.Comment, Unchecked: f.Unchecked,
		Variant: ota.Variant{KeyID: f.KeyID, SessionKey: f.SessionKey, Checksum: f.Checksum, ChecksumV2: f.ChecksumV2, ExternalURL: f.ExternalURL},
	}
	up := newUploader(c, f.App)
	if f.Zip != "" {
		if err := f.importZip(ctx, up, &in.Variant); err != nil {
			return ota.Bundle{}, false, err
		}
	}
	f.Progress.Phase("uploading %d files", len(f.Files))
	for i, file := range f.Files {
		v, err := f.importFile(ctx, up, file)
		if err != nil {
			return ota.Bundle{}, false, err
		}
		in.Variant.Files = append(in.Variant.Files, v)
		f.Progress.Update("%d/%d", i+1, len(f.Files))
	}
	return c.ImportBundle(ctx, f.App, in)
}

// importZip hashes, checks and uploads the zip.
func (f *Foreign) importZip(ctx context.Context, up *uploader, v *ota.Variant) error {
	f.Progress.Phase("checking the zip")
	file, err := os.Open(f.Zip)
	if err != nil {
		return ota.NotFound("file_missing", "cannot open %s: %s", f.Zip, errors.Unwrap(err)).WithHint("name the zip of the other tool")
	}
	defer file.Close()
	h := sha256.New()
	if v.ZipSize, err = io.Copy(h, file); err != nil {
		return ota.Invalid("file_unreadable", "cannot read %s: %s", f.Zip, err).WithHint("check that you may read it")
	}
	v.Zip = ota.Digest(h.Sum(nil))
	if v.Checksum == "" && v.SessionKey == "" && !f.Unchecked {
		v.Checksum = v.Zip.String()
	}
	if !f.Unchecked {
		whole := io.NewSectionReader(file, 0, v.ZipSize)
		o, err := open(ctx, sealedZip{whole, v.Zip, v.Checksum, v.ChecksumV2, v.SessionKey}, f.Key, pack.Limits{}, "")
		if err != nil {
			return err
		}
		o.close()
	}
	f.Progress.Phase("uploading the zip")
	return up.sendFile(ctx, v.Zip, file, v.ZipSize)
}

// importFile checks and uploads one stored file.
func (f *Foreign) importFile(ctx context.Context, up *uploader, file ForeignFile) (ota.VariantFile, error) {
	v := ota.VariantFile{Name: file.Name, WireHash: file.WireHash, Brotli: strings.HasSuffix(file.Name, ".br")}
	in, err := os.Open(file.Path)
	if err != nil {
		return v, ota.NotFound("file_missing", "cannot open %s: %s", file.Path, errors.Unwrap(err)).WithHint("paths in a file list are relative to it")
	}
	defer in.Close()
	limit := pack.Limits{}.Filled().MaxFileSize
	stored, err := io.ReadAll(io.LimitReader(in, limit+1))
	switch {
	case err != nil:
		return v, ota.Invalid("file_unreadable", "cannot read %s: %s", file.Path, err).WithHint("check that you may read it")
	case int64(len(stored)) > limit:
		return v, ota.Errorf(ota.KindTooLarge, "file_too_large", "%s is over %s", file.Path, Bytes(limit)).WithHint("publish it in smaller parts")
	}
	v.Blob, v.StoredSize = ota.Sum(stored), int64(len(stored))
	if !f.Unchecked {
		if v.Hash, v.Size, err = f.checkFile(v, stored, limit); err != nil {
			return v, err
		}
	}
	return v, up.send(ctx, v.Blob, stored)
}

func (f *Foreign) checkFile(v ota.VariantFile, stored []byte, limit int64) (ota.Digest, int64, error) {
	_, want, err := readEntry(v, f.Key, nil)
	if err != nil {
		return want, 0, err
	}
	var session seal.Session
	if f.Key != nil {
		if session, err = f.Key.OpenSession(f.SessionKey); err != nil {
			return want, 0, err
		}
	}
	plain, err := openStored(v.Name, stored, f.Key != nil, session, limit)
	if err != nil {
		return want, 0, err
	}
	if got := ota.Sum(plain); got != want {
		return want, 0, bad("hash_mismatch", "%s has SHA-256 %s, the file list says %s", v.Name, got, want)
	}
	return want, int64(len(plain)), nil
}
