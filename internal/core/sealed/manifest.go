package sealed

import (
	"fmt"
	"slices"

	"github.com/waxwing-ota/waxwing/internal/core/canon"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/semver"
)

// SuiteS1 is the one set of algorithms there is. Another one would be another
// name, never a negotiation.
const SuiteS1 = "S1"

// How the blobs of a bundle are stored.
const (
	EncryptionNone        = "none"
	EncryptionCobblestone = "cobblestone-256"
)

// PatchZstd is a Zstandard frame made with the old file as its dictionary.
const PatchZstd = "zstd-dict"

// Manifest says what a bundle is, completely: a device installs the files it
// lists and no other. It is a TUF target and its name is its hash.
type Manifest struct {
	Type       string     `json:"_type"`
	Suite      string     `json:"suite"`
	App        string     `json:"app"`
	Platforms  []string   `json:"platforms"` // sorted
	Version    string     `json:"version"`   // for people
	Seq        int64      `json:"seq"`       // rises with every bundle of the app
	Floor      int64      `json:"floor"`     // once it was activated, nothing with a lower seq ever is again
	Class      string     `json:"class"`     // production | staging, as its path says
	Native     Native     `json:"native"`
	Created    canon.Time `json:"created"`
	Tree       string     `json:"tree"` // TreeHash of the files
	Files      []File     `json:"files"`
	Encryption Encryption `json:"encryption"`
	Patches    []Patch    `json:"patches"`
	Provenance string     `json:"provenance"` // SHA-256 of the statement; "" = none
	Scan       string     `json:"scan"`       // SHA-256 of the report; "" = none
}

// Native is the range of native apps that can run the bundle, both ends
// included. Versions are compared as semantic versions.
type Native struct {
	Min string `json:"min"` // 0.0.0 = any
	Max string `json:"max"` // "" = no end
}

// Holds reports whether a native app of the version is in the range.
func (n Native) Holds(version string) bool {
	v, ok := semver.Native(version)
	lo, okLo := semver.Parse(n.Min)
	if !ok || !okLo || semver.Compare(v, lo) < 0 {
		return false
	}
	if n.Max == "" {
		return true
	}
	hi, ok := semver.Parse(n.Max)
	return ok && semver.Compare(v, hi) <= 0
}

// File is one file of a bundle.
type File struct {
	Path    string `json:"path"`
	Size    int64  `json:"size"`     // plain bytes
	SHA256  string `json:"sha256"`   // of the plain bytes
	Blob    string `json:"blob"`     // SHA-256 of the stored bytes, which is their address
	EncSize int64  `json:"enc_size"` // stored bytes
}

// Encryption says under which key the blobs are. All blobs of a manifest are
// under the one key of its epoch, since a grant opens one epoch.
type Encryption struct {
	Mode   string `json:"mode"`
	Epoch  int64  `json:"epoch"`  // 1 and up; 0 with the mode none
	Dedupe bool   `json:"dedupe"` // false = the epoch is of this release alone
}

// Patch makes a file out of an earlier version of it. Its result is checked
// against the file's own hash.
type Patch struct {
	Path    string `json:"path"`     // the file it makes
	From    string `json:"from"`     // SHA-256 of the plain earlier version
	Format  string `json:"format"`   // zstd-dict
	Size    int64  `json:"size"`     // bytes of the plain patch
	SHA256  string `json:"sha256"`   // of the plain patch, from which its blob's key is derived
	Blob    string `json:"blob"`     // SHA-256 of the stored bytes
	EncSize int64  `json:"enc_size"` // stored bytes
}

// Kind is the document's _type.
func (*Manifest) Kind() string { return "manifest" }

// Cap is MaxManifest.
func (*Manifest) Cap() int { return MaxManifest }

func (m *Manifest) typ() *string { return &m.Type }

// Check says whether every field has a meaning and the tree hash is that of
// the files.
func (m *Manifest) Check() error {
	r := rulesOf(m)
	r.oneOf("suite", m.Suite, SuiteS1)
	r.app("app", m.App)
	m.checkPlatforms(r)
	r.that(ota.CheckVersionName(m.Version) == nil, "version", "is no version name")
	r.uint("seq", m.Seq, 1, MaxInt)
	r.uint("floor", m.Floor, 0, m.Seq)
	r.oneOf("class", m.Class, ClassProduction, ClassStaging)
	r.version("native.min", m.Native.Min)
	if m.Native.Max != "" {
		r.version("native.max", m.Native.Max)
		r.that(r.err != nil || m.Native.Holds(m.Native.Min), "native.max", "is below native.min")
	}
	r.time("created", m.Created)
	r.hash("tree", m.Tree)
	m.Encryption.check(r)
	r.hashOrNone("provenance", m.Provenance)
	r.hashOrNone("scan", m.Scan)
	m.checkFiles(r)
	m.checkPatches(r)
	if r.err == nil {
		r.that(m.Tree == TreeHash(m.Files), "tree", "is not the hash of the files")
	}
	return r.err
}

func (m *Manifest) checkPlatforms(r *rules) {
	r.count("platforms", len(m.Platforms), 1, MaxPlatforms)
	for i, p := range m.Platforms {
		r.platform("platforms", p)
		r.that(i == 0 || m.Platforms[i-1] < p, "platforms", "are not sorted or one is there twice")
	}
}

func (e Encryption) check(r *rules) {
	r.oneOf("encryption.mode", e.Mode, EncryptionNone, EncryptionCobblestone)
	if e.Mode == EncryptionNone {
		r.uint("encryption.epoch", e.Epoch, 0, 0)
		return
	}
	r.uint("encryption.epoch", e.Epoch, 1, MaxEpoch)
}

func (m *Manifest) checkFiles(r *rules) {
	r.count("files", len(m.Files), 1, MaxFiles)
	if r.err != nil {
		return
	}
	var total int64
	for i := range m.Files {
		f := &m.Files[i]
		field := fmt.Sprintf("files[%d]", i)
		r.uint(field+".size", f.Size, 0, MaxTotal)
		r.hash(field+".sha256", f.SHA256)
		r.that(i == 0 || m.Files[i-1].Path < f.Path, field+".path", "is not after the one before it")
		m.checkBlob(r, field, f.SHA256, f.Size, f.Blob, f.EncSize)
		total += f.Size
	}
	r.that(total <= MaxTotal, "files", "have %d bytes together, and must have at most %d", total, int64(MaxTotal))
	if r.err == nil {
		r.err = checkPaths(m.Files)
	}
}

// checkBlob is about the stored form of a file or patch.
func (m *Manifest) checkBlob(r *rules, field, plain string, size int64, blob string, stored int64) {
	r.hash(field+".blob", blob)
	r.that(stored == StoredSize(m.Encryption.Mode, size), field+".enc_size", "is not what %d bytes take in the mode %.40q", size, m.Encryption.Mode)
	r.that(m.Encryption.Mode != EncryptionNone || blob == plain, field+".blob", "must be the sha256 where nothing is encrypted")
}

func (m *Manifest) checkPatches(r *rules) {
	r.count("patches", len(m.Patches), 0, MaxPatches)
	if r.err != nil {
		return
	}
	for i := range m.Patches {
		p := &m.Patches[i]
		field := fmt.Sprintf("patches[%d]", i)
		at, ok := slices.BinarySearchFunc(m.Files, p.Path, func(f File, path string) int { return compare(f.Path, path) })
		r.that(ok, field+".path", "is no file of the manifest")
		r.hash(field+".from", p.From)
		r.that(!ok || p.From != m.Files[at].SHA256, field+".from", "is the file itself")
		r.oneOf(field+".format", p.Format, PatchZstd)
		r.uint(field+".size", p.Size, 1, MaxTotal)
		r.hash(field+".sha256", p.SHA256)
		m.checkBlob(r, field, p.SHA256, p.Size, p.Blob, p.EncSize)
		if i > 0 {
			q := &m.Patches[i-1]
			r.that(q.Path < p.Path || q.Path == p.Path && q.From < p.From, field, "is not after the one before it, by path and from")
		}
	}
}

// File returns the file of the path, or nil.
func (m *Manifest) File(path string) *File {
	at, ok := slices.BinarySearchFunc(m.Files, path, func(f File, path string) int { return compare(f.Path, path) })
	if !ok {
		return nil
	}
	return &m.Files[at]
}
