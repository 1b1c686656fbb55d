package ota

// Who hands content keys out.
const (
	CustodyServer = "server" // the server, after it has decided (G1)
	CustodyBroker = "broker" // a key broker elsewhere: the server never sees the key (G2)
)

// Codes of errors about sealed bundles.
const (
	CodeSealedNone     = "sealed_none"            // not found: the bundle has no manifest
	CodeSealedManifest = "sealed_manifest"        // invalid: not a manifest of this bundle
	CodeSealedSeq      = "sealed_sequence"        // conflict: the number is taken, or lower than one that was used
	CodeSealedBlob     = "sealed_blob_missing"    // conflict: a sealed file is not uploaded
	CodeSealedEpoch    = "sealed_epoch"           // conflict: an epoch that does not exist, or exists with another key
	CodeSealedFloor    = "sealed_below_floor"     // conflict: devices refuse what is below their floor
	CodeSealedUnknown  = "sealed_app_unknown"     // not found: no such app, or none with sealed updates
	CodeSealedRequest  = "sealed_request_invalid" // invalid: not a request of the sealed protocol
)

// SealedKey is the content key of an epoch, wrapped for one who hands it out.
type SealedKey struct {
	App       string `json:"app"`
	Epoch     int64  `json:"epoch"`
	Custody   string `json:"custody"`   // CustodyServer or CustodyBroker
	Recipient string `json:"recipient"` // the broker's name; "" for the server
	Wrapped   []byte `json:"wrapped"`   // HPKE to the recipient's key, see docs/sealed
	CreatedAt int64  `json:"created_at"`
	CreatedBy string `json:"created_by"`
}

// SealedManifest is a manifest of a bundle, as the server knows it.
type SealedManifest struct {
	App       string `json:"app"`
	BundleID  int64  `json:"-"`
	Version   string `json:"version"` // of the bundle
	SHA256    Digest `json:"sha256"`
	Size      int64  `json:"size"`
	Class     string `json:"class"` // staging or production
	Seq       int64  `json:"seq"`
	Floor     int64  `json:"floor"`
	Mode      string `json:"mode"`  // how its files are encrypted
	Epoch     int64  `json:"epoch"` // of their key; 0 = not encrypted
	CreatedAt int64  `json:"created_at"`
	CreatedBy string `json:"created_by"`

	Approved bool     `json:"approved"`            // signed metadata in force lists it
	Provable bool     `json:"provable"`            // and the log proves it, so devices may get it
	Refused  string   `json:"refused,omitempty"`   // why devices do not get it; "" = they may
	Role     string   `json:"role,omitempty"`      // of the metadata that lists it: targets or staging
	SignedBy []string `json:"signed_by,omitempty"` // ids of the keys whose signatures on that count
}

// NewSealedManifest registers a manifest whose bytes and sealed files are
// uploaded as blobs. Keys are those of its epoch, if the epoch is new.
type NewSealedManifest struct {
	SHA256 Digest      `json:"sha256"`
	Keys   []SealedKey `json:"keys,omitempty"`
}

// SealedPlace says where the next sealed bundle of an app goes.
type SealedPlace struct {
	App      string `json:"app"`
	NextSeq  int64  `json:"next_seq"` // the lowest number that is free
	Floor    int64  `json:"floor"`    // in force; lower numbers are refused by devices
	Epoch    int64  `json:"epoch"`    // the latest; 0 = none yet
	MinEpoch int64  `json:"min_epoch"`
	// Latest is the manifest of the highest number, nil if there is none: what
	// patches are made against.
	Latest *SealedManifest `json:"latest"`
}
