package approve

import (
	"encoding/json"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Format names the form of a Document, so that a later form cannot be taken for this one.
const Format = "waxwing-approval/1"

// Document is what is approved: what will be done, and what is there now. If
// either changes, its digest does.
type Document struct {
	Format   string    `json:"format"`
	App      string    `json:"app"`
	Act      ota.Act   `json:"act"`
	Object   string    `json:"object"`
	Request  any       `json:"request"` // as it was made
	Channel  *Channel  `json:"channel,omitempty"`
	Content  *Content  `json:"content,omitempty"`
	Rollout  *Rollout  `json:"rollout,omitempty"`
	Change   *Change   `json:"change,omitempty"`
	Scan     *Scan     `json:"scan,omitempty"` // findings that need approval
	Protects []Guarded `json:"protects"`       // the protected channels concerned, by name
}

// Channel is what a channel serves, and to whom, when the request is made.
type Channel struct {
	ID             int64    `json:"id"`
	Name           string   `json:"name"`
	CurrentRelease int64    `json:"current_release"` // 0 = none yet
	CurrentVersion string   `json:"current_version"`
	CurrentRollout string   `json:"current_rollout"` // id, "" = none
	Audience       Audience `json:"audience"`
}

// Audience is the part of a channel's policy that says which devices get what is on it.
type Audience struct {
	Public        bool         `json:"public"`
	AllowSelfSet  bool         `json:"allow_self_set"`
	IOS           bool         `json:"ios"`
	Android       bool         `json:"android"`
	Electron      bool         `json:"electron"`
	AllowDev      bool         `json:"allow_dev"`
	AllowProd     bool         `json:"allow_prod"`
	AllowEmulator bool         `json:"allow_emulator"`
	AllowDevice   bool         `json:"allow_device"`
	Strategy      ota.Strategy `json:"strategy"`
	UnderNative   bool         `json:"under_native_guard"`
	MinNative     string       `json:"min_native"`
}

// AudienceOf takes the audience out of a policy.
func AudienceOf(p ota.Policy) Audience {
	return Audience{
		Public: p.Public, AllowSelfSet: p.AllowSelfSet, IOS: p.IOS, Android: p.Android, Electron: p.Electron,
		AllowDev: p.AllowDev, AllowProd: p.AllowProd, AllowEmulator: p.AllowEmulator, AllowDevice: p.AllowDevice,
		Strategy: p.Strategy, UnderNative: p.UnderNative, MinNative: p.MinNative,
	}
}

// Content is a bundle with all that a device could load of it.
type Content struct {
	BundleID  int64      `json:"bundle_id"`
	Version   string     `json:"version"`
	Tree      ota.Digest `json:"tree"` // zero for bundles of other tools
	MinNative string     `json:"min_native"`
	Variants  []Variant  `json:"variants"`
}

// Variant is a bundle's form for one key.
type Variant struct {
	KeyID      string     `json:"key_id"`
	SessionKey string     `json:"session_key"`
	Checksum   string     `json:"checksum"`
	ChecksumV2 string     `json:"checksum_v2"`
	Zip        ota.Digest `json:"zip"`
	ZipSize    int64      `json:"zip_size"`
	Files      ota.Digest `json:"files"` // of the list of files a device is given
	FileCount  int        `json:"file_count"`
}

// Rollout is how a rollout will be.
type Rollout struct {
	Version string `json:"version"`
	BPS     int    `json:"percentage_bps"`
	Enabled bool   `json:"enabled"`
	Paused  bool   `json:"paused"`

	Plan    *ota.RolloutPlan `json:"plan,omitempty"`    // what it will do by itself
	Cohorts []Cohort         `json:"cohorts,omitempty"` // that its target depends on
}

// Cohort is what decides who is in a cohort.
type Cohort struct {
	Name   string     `json:"name"`
	Expr   string     `json:"expression"`
	Size   int        `json:"size"`
	Digest ota.Digest `json:"digest"` // of the list of custom ids
}

// CohortOf describes a cohort that has its list.
func CohortOf(c *ota.Cohort) Cohort {
	var b []byte
	for _, id := range c.CustomIDs {
		b = fmt.Appendf(b, "%q\n", id)
	}
	return Cohort{Name: c.Name, Expr: c.Expr, Size: len(c.CustomIDs), Digest: ota.Sum(b)}
}

// Change is an object before and after; nil = there is none.
type Change struct {
	Before any `json:"before"`
	After  any `json:"after"`
}

// Guarded is a protected channel that is concerned, with the rule that holds now.
type Guarded struct {
	ID       int64  `json:"id"`
	Name     string `json:"name"`
	Required int    `json:"required_approvals"`
	// Independent is the rule about people related by invitation.
	Independent bool `json:"independent_approvers"`
}

// ContentOf describes a bundle whose variants have their files.
func ContentOf(b *ota.Bundle) *Content {
	c := &Content{BundleID: b.ID, Version: b.Version, Tree: b.Tree, MinNative: b.MinNative, Variants: []Variant{}}
	for _, v := range b.Variants {
		c.Variants = append(c.Variants, Variant{
			KeyID: v.KeyID, SessionKey: v.SessionKey, Checksum: v.Checksum, ChecksumV2: v.ChecksumV2,
			Zip: v.Zip, ZipSize: v.ZipSize, Files: filesDigest(v.Files), FileCount: len(v.Files),
		})
	}
	return c
}

// filesDigest covers all that a device is told and given of each file.
func filesDigest(files []ota.VariantFile) ota.Digest {
	if len(files) == 0 {
		return ota.Digest{}
	}
	var b []byte
	for i := range files {
		f := &files[i]
		b = fmt.Appendf(b, "%q %q %s %d %s %d %t\n", f.Name, f.WireHash, f.Hash, f.Size, f.Blob, f.StoredSize, f.Brotli)
	}
	return ota.Sum(b)
}

// Digest identifies the content.
func (c *Content) Digest() (ota.Digest, error) {
	raw, err := canonical(c)
	return ota.Sum(raw), err
}

// Seal renders the document as canonical JSON (RFC 8785) and returns its digest.
func (d Document) Seal() ([]byte, ota.Digest, error) {
	d.Format = Format
	if d.Protects == nil {
		d.Protects = []Guarded{}
	}
	raw, err := canonical(d)
	return raw, ota.Sum(raw), err
}

func canonical(v any) ([]byte, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode what is to be approved: %w", err)
	}
	out := jsontext.Value(raw)
	if err := out.Canonicalize(); err != nil {
		return nil, fmt.Errorf("encode what is to be approved: %w", err)
	}
	return out, nil
}
