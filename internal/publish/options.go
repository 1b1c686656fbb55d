package publish

import (
	"io/fs"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/pack"
	"github.com/waxwing-ota/waxwing/internal/core/scan"
	"github.com/waxwing-ota/waxwing/internal/core/seal"
)

// Options says what to push, where, and how.
type Options struct {
	App     string
	Version string // a semantic version
	Channel string // "" only with NoRelease
	Dir     fs.FS  // the web build; index.html at its root

	// Keys are the signing keys, one for every active key of the app.
	Keys []*seal.PrivateKey
	// Plain adds an unencrypted variant, if the app allows it. An app without
	// keys always gets one.
	Plain bool

	MinNative      string
	Link, Comment  string
	Note           string // of the release
	NativePackages []ota.NativePackage
	SBOM           []byte      // a CycloneDX document; nil = none
	Provenance     *Provenance // nil = it is not told

	// AllowNativeMismatch publishes although devices of the channel lack native
	// packages; the server holds the bundle back from those.
	AllowNativeMismatch bool
	NativeVersion       string // of the app in the stores, as far as known; for a warning

	RolloutBPS *int // start a rollout at this share instead of a full release
	// RolloutPlan or RolloutPreset (the name of a plan) start a rollout that goes on
	// by itself.
	RolloutPlan   *ota.RolloutPlan
	RolloutPreset string

	NoRelease    bool // publish the bundle and put it on no channel
	NoManifest   bool // publish the zip only: devices always load all of it
	AllowNoReady bool // the call to notifyAppReady is not found, and that is right
	NoScan       bool // do not scan the build; the policy may forbid that
	// AllowInlineMaps publishes scripts that have their source map inside.
	AllowInlineMaps bool
	NoSourceMaps    bool  // source maps are left out of the bundle and not sent either
	SourceMaps      fs.FS // where source maps are; nil = in Dir
	DryRun          bool  // ask the server what is missing, and change nothing

	Sealed *Sealed // seal it for devices of sealed updates; nil = no

	Native *scan.Native // what the native build declares, for the scan; nil = unknown
	Memo   *scan.Memo   // what earlier scans found in the same files; nil = nothing
	Tool   string       // version of the program, for the scan's report

	Limits   pack.Limits
	TempDir  string   // for the zip; "" = the system's
	Progress Progress // nil = nobody listens
}

// Why a push put its bundle on no channel.
const (
	SkippedAsked   = "no_release"   // the options said so
	SkippedHad     = "had_before"   // the channel had this version already
	SkippedRollout = "rollout_runs" // a rollout of this version runs; its share is left alone
	SkippedDry     = "dry_run"
	SkippedWaits   = "waits_for_approval"
)

// Result says what a push did.
type Result struct {
	App      string        `json:"app"`
	Version  string        `json:"version"`
	Tree     ota.Digest    `json:"tree"` // names the content
	Files    int           `json:"files"`
	Size     int64         `json:"size"`    // plain bytes
	Created  bool          `json:"created"` // false = the server had this very bundle
	Variants []VariantInfo `json:"variants"`
	Uploaded Volume        `json:"uploaded"`
	Reused   Volume        `json:"reused"` // stored files of earlier releases used again
	Channel  string        `json:"channel"`
	Released bool          `json:"released"` // this push put it on the channel
	Skipped  string        `json:"skipped"`  // why not; "" if it did
	// Approval is what others must approve before the channel has it; nil = nothing.
	Approval *ota.Approval `json:"approval,omitempty"`
	Release  *ota.Release  `json:"release"` // the channel's release of this version; nil = none
	Rollout  *ota.Rollout  `json:"rollout"` // the channel's rollout of this version; nil = none
	DryRun   bool          `json:"dry_run"` // nothing was changed
	// NativeMismatch says what native versions lack that was accepted.
	NativeMismatch []string     `json:"native_mismatch,omitempty"`
	SourceMaps     int          `json:"source_maps"` // that were sent; devices do not get them
	Warnings       []Warning    `json:"warnings"`
	Scan           *ScanSummary `json:"scan"` // nil = there was none
	// Sealed says what came of --sealed; nil = it was not asked for.
	Sealed *SealedResult `json:"sealed,omitempty"`
}

// VariantInfo is one packing of the bundle.
type VariantInfo struct {
	KeyID   string `json:"key_id"`   // "" = plain
	Session string `json:"session"`  // of the keys SessionEpoch and so on
	ZipSize int64  `json:"zip_size"` // stored bytes; 0 in a dry run
	Missing Volume `json:"missing"`  // files the server lacked, in plain bytes
}

// What a variant's session key is shared with.
const (
	SessionEpoch = "epoch" // all releases under the signing key
	SessionFresh = "fresh" // nothing
	SessionNone  = "none"  // there is none: the variant is plain
)

// Volume counts stored files or blobs.
type Volume struct {
	Count int   `json:"count"`
	Bytes int64 `json:"bytes"`
}
