package ota

import "encoding/json"

// What callers ask of the control plane. Pointers are "leave as is" when nil.

// NewApp asks for an app; a public channel "production" comes with it.
type NewApp struct {
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
	Org  string `json:"org,omitempty"` // "" = MainOrg
}

// AppPatch changes an app's settings.
type AppPatch struct {
	Name           *string `json:"name,omitempty"`
	ExposeMetadata *bool   `json:"expose_metadata,omitempty"`
	AllowCustomID  *bool   `json:"allow_custom_id,omitempty"`
	AllowPlain     *bool   `json:"allow_plain,omitempty"`
}

// PolicyPatch changes a channel's policy.
type PolicyPatch struct {
	Public        *bool          `json:"public,omitempty"`
	AllowSelfSet  *bool          `json:"allow_self_set,omitempty"`
	IOS           *bool          `json:"ios,omitempty"`
	Android       *bool          `json:"android,omitempty"`
	Electron      *bool          `json:"electron,omitempty"`
	AllowDev      *bool          `json:"allow_dev,omitempty"`
	AllowProd     *bool          `json:"allow_prod,omitempty"`
	AllowEmulator *bool          `json:"allow_emulator,omitempty"`
	AllowDevice   *bool          `json:"allow_device,omitempty"`
	Strategy      *Strategy      `json:"strategy,omitempty"`
	UnderNative   *bool          `json:"under_native_guard,omitempty"`
	MinNative     *string        `json:"min_native,omitempty"`
	FreshKey      *bool          `json:"fresh_key,omitempty"`
	AutoHalt      *AutoHaltPatch `json:"auto_halt,omitempty"`

	Guard *GuardPolicyPatch `json:"guard,omitempty"`

	NativePackages *NativeMode     `json:"native_packages,omitempty"`
	Provenance     *ProvenanceMode `json:"provenance,omitempty"`

	RequiredApprovals *int `json:"required_approvals,omitempty"`
	ApprovalTTL       *int `json:"approval_ttl_minutes,omitempty"`

	IndependentApprovers *bool `json:"independent_approvers,omitempty"`
}

// AutoHaltPatch changes a channel's AutoHalt.
type AutoHaltPatch struct {
	Enabled         *bool       `json:"enabled,omitempty"`
	FailureRateBPS  *int        `json:"failure_rate_bps,omitempty"`
	Confidence      *float64    `json:"confidence,omitempty"`
	MinAttempts     *int        `json:"min_attempts,omitempty"`
	MinFailures     *int        `json:"min_failures,omitempty"`
	WindowMinutes   *int        `json:"window_minutes,omitempty"`
	CooldownMinutes *int        `json:"cooldown_minutes,omitempty"`
	Action          *HaltAction `json:"action,omitempty"`
}

// MissingQuery asks what a push still has to upload. Files are those of the
// tree; each Encoding is one variant it will have.
type MissingQuery struct {
	Version   string     `json:"version"`
	Tree      Digest     `json:"tree"`
	Files     []TreeFile `json:"files"`
	Encodings []Encoding `json:"encodings"`
}

// Encoding names how stored files of a variant were made: one session key of
// one signing key, or plain (both empty).
type Encoding struct {
	KeyID      string `json:"key_id"`
	SessionKey string `json:"session_key"`
}

// MissingAnswer says what is there already. Known has one list per encoding of
// the query, in its order; a file not in it must be uploaded.
type MissingAnswer struct {
	Exists bool            `json:"exists"` // the version is taken
	Same   bool            `json:"same"`   // and by this very tree
	Known  [][]VariantFile `json:"known"`
}

// NewBundle publishes a bundle whose blobs are all uploaded. Files of each
// variant align with Tree by index.
type NewBundle struct {
	Version        string          `json:"version"`
	Tree           []TreeFile      `json:"tree"`
	Variants       []Variant       `json:"variants"`
	MinNative      string          `json:"min_native,omitempty"`
	Link           string          `json:"link,omitempty"`
	Comment        string          `json:"comment,omitempty"`
	NativePackages []NativePackage `json:"native_packages,omitempty"`
	SBOM           Digest          `json:"sbom,omitzero"`       // an uploaded CycloneDX document
	Provenance     Digest          `json:"provenance,omitzero"` // an uploaded DSSE envelope
	// NativeMismatch says what native versions lack that the publisher accepted.
	NativeMismatch []string `json:"native_mismatch,omitempty"`
	// SealedOnly says that the content is for devices of sealed updates alone: there
	// are no variants, and its manifest follows.
	SealedOnly bool `json:"sealed_only,omitempty"`
}

// ImportBundle registers a bundle another tool made. Exactly one variant;
// checksum, session key and file hashes are taken as they are and, unless
// Unchecked, must at least have a form that a current device accepts.
type ImportBundle struct {
	Version   string  `json:"version"`
	Variant   Variant `json:"variant"`
	MinNative string  `json:"min_native,omitempty"`
	Link      string  `json:"link,omitempty"`
	Comment   string  `json:"comment,omitempty"`
	Unchecked bool    `json:"unchecked,omitempty"`
}

// BundlePatch changes what is not content.
type BundlePatch struct {
	MinNative *string `json:"min_native,omitempty"`
	Link      *string `json:"link,omitempty"`
	Comment   *string `json:"comment,omitempty"`
}

// ReleaseRequest puts a version (or "builtin") on a channel.
type ReleaseRequest struct {
	Version string `json:"version"`
	Note    string `json:"note,omitempty"`
	IfNew   bool   `json:"if_new,omitempty"` // do nothing if the channel ever had it
}

// RollbackRequest takes a channel back. To is a version of its history,
// "builtin", or "" for the release before the current one.
type RollbackRequest struct {
	To   string `json:"to,omitempty"`
	Note string `json:"note,omitempty"`
}

// RolloutRequest starts or changes a rollout. A Version other than the
// rollout's starts a new one.
type RolloutRequest struct {
	Version string `json:"version,omitempty"`
	BPS     *int   `json:"percentage_bps,omitempty"`
	Enabled *bool  `json:"enabled,omitempty"`
	Paused  *bool  `json:"paused,omitempty"`
	Reason  string `json:"reason,omitempty"`

	Plan   *RolloutPlan `json:"plan,omitempty"`   // how it goes on by itself
	Preset string       `json:"preset,omitempty"` // steps by name: careful, standard, fast; none takes the plan away
}

// ProbeRequest asks what a device would get now.
type ProbeRequest struct {
	Platform   string `json:"platform"`
	Native     string `json:"native"`            // native version
	Current    string `json:"current"`           // running bundle; "" or "builtin" = the native one
	Device     string `json:"device,omitempty"`  // UUID; "" = one nobody knows
	Plugin     string `json:"plugin,omitempty"`  // plugin version; "" = a current one
	Channel    string `json:"channel,omitempty"` // what the device names
	KeyID      string `json:"key_id,omitempty"`  // "" = the newest active key, if any
	NoKey      bool   `json:"no_key,omitempty"`  // the device has no key at all
	IsProd     *bool  `json:"is_prod,omitempty"` // default true
	IsEmulator bool   `json:"is_emulator,omitempty"`

	OS            string `json:"os,omitempty"`             // version of the operating system
	VersionCode   string `json:"version_code,omitempty"`   // build number of the native app
	InstallSource string `json:"install_source,omitempty"` // such as "play_store"
	CustomID      string `json:"custom_id,omitempty"`      // counts if the app takes custom ids
}

// Page asks for a slice of a list, newest first unless said otherwise.
// After is an opaque cursor from the answer before; Limit 0 means 50, at most 500.
type Page struct {
	After string
	Limit int
}

// Actor names who does something, for the record of changes: "token:ci",
// "system/guard", "device:<uuid>".
type Actor string

// Change is one row of the record of changes; it is written in the transaction
// of the change itself.
type Change struct {
	ID     int64  `json:"id"`
	At     int64  `json:"at"`
	Actor  Actor  `json:"actor"`
	Action string `json:"action"` // noun.verb, such as release.publish
	App    string `json:"app"`
	Object string `json:"object"`
	Detail string `json:"detail"` // JSON object

	Org       string `json:"org"`        // that it concerns; "" = MainOrg
	Before    string `json:"before"`     // JSON of the object before, "" = there was none or it is not kept
	After     string `json:"after"`      // JSON of the object after
	RequestID string `json:"request_id"` // of the request that caused it; "" = none did

	// More are further changes of the same transaction, recorded after this one;
	// each may name an actor of its own.
	More []Change `json:"-"`
}

// JSON is how a change writes what it is about: "" for nothing. It is for
// values of our own, which can be written.
func JSON(v any) string {
	if v == nil {
		return ""
	}
	b, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(b)
}

// GCReport says what a garbage collection removed.
type GCReport struct {
	Blobs   int   `json:"blobs"`
	Bytes   int64 `json:"bytes"`
	Kept    int   `json:"kept"`
	Partial int   `json:"partial"` // abandoned uploads
	Events  int64 `json:"events"`  // past retention
}
