package ota

import (
	"crypto/sha256"
	"encoding/binary"
	"strings"
)

// TreeFile is one file of a web build before any packaging.
type TreeFile struct {
	Path string `json:"path"` // relative, forward slashes
	Hash Digest `json:"hash"` // of the plain content
	Size int64  `json:"size"` // plain bytes
}

// TreeDigest identifies a set of files, whatever packs them. files must be
// sorted by path. Two bundles with one digest hold the same content.
func TreeDigest(files []TreeFile) Digest {
	h := sha256.New()
	var n [8]byte
	for _, f := range files {
		binary.BigEndian.PutUint64(n[:], uint64(len(f.Path)))
		h.Write(n[:])
		h.Write([]byte(f.Path))
		h.Write(f.Hash[:])
	}
	return Digest(h.Sum(nil))
}

// Bundle is one immutable published version of an app's web build.
type Bundle struct {
	ID             int64           `json:"id"`
	App            string          `json:"app"`
	Version        string          `json:"version"`
	Tree           Digest          `json:"tree"` // zero for bundles imported from elsewhere
	FileCount      int             `json:"file_count"`
	Size           int64           `json:"size"`       // plain bytes of all files
	MinNative      string          `json:"min_native"` // lowest native version that can run it; "" = any
	Link           string          `json:"link"`
	Comment        string          `json:"comment"`
	NativePackages []NativePackage `json:"native_packages"`
	CreatedAt      int64           `json:"created_at"`
	CreatedBy      string          `json:"created_by"`
	DeletedAt      int64           `json:"deleted_at"`          // 0 = live; a deleted bundle is never offered, its name stays taken
	Held           *Held           `json:"held,omitempty"`      // people took it out of service; nil = it is in service
	SBOM           Digest          `json:"sbom,omitzero"`       // stored CycloneDX document; zero = none
	Provenance     Digest          `json:"provenance,omitzero"` // stored DSSE envelope; zero = none
	SignedBy       []string        `json:"signed_by,omitempty"` // ids of the app's keys that signed the provenance
	Variants       []Variant       `json:"variants"`
}

// NativePackage is a native plug-in that the web build was made against.
type NativePackage struct {
	Name      string   `json:"name"`
	Version   string   `json:"version"`
	Platforms []string `json:"platforms,omitempty"` // that it has native code for; empty = unknown, all
}

// Variant is a bundle packed for one signing key, or plain (KeyID "").
type Variant struct {
	ID          int64         `json:"id"`
	KeyID       string        `json:"key_id"`
	SessionKey  string        `json:"session_key"`  // wire form "b64(iv):b64(rsa(key))"; "" = plain
	Checksum    string        `json:"checksum"`     // wire form for current clients
	ChecksumV2  string        `json:"checksum_v2"`  // wire form for clients before x.30.0; "" = same as Checksum
	ExternalURL string        `json:"external_url"` // served verbatim instead of Zip, and then without a manifest
	Zip         Digest        `json:"zip"`          // stored bytes; zero = none
	ZipSize     int64         `json:"zip_size"`
	Files       []VariantFile `json:"files,omitempty"` // empty = no manifest
}

// VariantFile is one manifest entry: what a device is told and what is stored.
type VariantFile struct {
	Name       string `json:"name"`        // wire file_name, with ".br" when Brotli
	WireHash   string `json:"wire_hash"`   // wire file_hash: hex SHA-256 of the plain file, or its signed form
	Hash       Digest `json:"hash"`        // of the plain content; zero if unknown (imported)
	Size       int64  `json:"size"`        // plain bytes
	Blob       Digest `json:"blob"`        // stored bytes
	StoredSize int64  `json:"stored_size"` // stored bytes count
	Brotli     bool   `json:"brotli"`
}

// CheckVersionName refuses names that plugins cannot carry. It does not ask
// for semver: publishing does that on top.
// Source: shared protocol notes, client section 5.3.
func CheckVersionName(v string) error {
	switch {
	case v == "":
		return Invalid("version_invalid", "a version name is required").WithField("version")
	case len(v) > 100:
		return Invalid("version_invalid", "a version name has at most 100 characters").WithField("version")
	case v == "builtin" || v == "unknown":
		return Invalid("version_reserved", "%q is a reserved version name", v).WithField("version")
	}
	for _, r := range v {
		if r <= ' ' || r == 0x7f || strings.ContainsRune(`"\/:?#%&<>`, r) || r > 0x7e {
			return Invalid("version_invalid", "version name %q has the character %q, which devices cannot store", v, r).WithField("version")
		}
	}
	return nil
}
