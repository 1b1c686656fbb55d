package ota

// The roles whose signed documents people publish. TrustRoleTrust is trust.json,
// which is no role of TUF and not signed itself: it is a file that targets lists.
const (
	TrustRoleRoot    = "root"
	TrustRoleTargets = "targets"
	TrustRoleStaging = "staging"
	TrustRoleTrust   = "trust"
)

// Roles that the server signs for; people see them in a TrustStatus.
const (
	TrustRoleSnapshot  = "snapshot"
	TrustRoleTimestamp = "timestamp"
)

// Codes of errors about signed metadata. Their messages say what is missing.
const (
	CodeTrustNone          = "trust_none"            // not found: the app has no root yet
	CodeTrustThreshold     = "threshold_not_reached" // conflict: valid signatures of too few keys
	CodeTrustVersion       = "metadata_version"      // conflict: not the version that follows the one in force
	CodeTrustExpired       = "metadata_expired"      // invalid: expired, or about to
	CodeTrustMetadata      = "metadata_invalid"      // invalid: not a document of its role, or not of this app
	CodeTrustOnlineKeys    = "online_keys_missing"   // conflict: does not list the server's own keys
	CodeTrustTargetUnknown = "target_unknown"        // conflict: lists a file that the server does not have
)

// Limits of what is uploaded, in bytes. A document is bounded further by its role.
const (
	MaxTrustDocument = 1 << 20
	MaxTrustFile     = 4 << 20
	MaxTrustFiles    = 64
)

// TrustKey is the public half of a P-256 key.
type TrustKey struct {
	ID     string `json:"id"`     // lower hex SHA-256 of the key object's canonical JSON, as in TUF
	Public string `json:"public"` // PEM of the SubjectPublicKeyInfo
}

// TrustLog is the public half of the log of sealed updates.
type TrustLog struct {
	Name    string   `json:"name"`    // in its checkpoints, such as "ota.example.com/sealed"
	Ed25519 string   `json:"ed25519"` // lower hex, 32 bytes
	P256    TrustKey `json:"p256"`
}

// TrustOnline is what the server signs with. A root must list the keys of the
// roles timestamp and snapshot, and trust.json the others. A list has more than
// one key while the server goes from one to the next.
type TrustOnline struct {
	Timestamp []TrustKey `json:"timestamp"`
	Snapshot  []TrustKey `json:"snapshot"`
	Director  []TrustKey `json:"director"`
	Authority []TrustKey `json:"authority"` // device certificates and grants
	Log       TrustLog   `json:"log"`
}

// TrustRole is what is in force for a role of an app.
type TrustRole struct {
	Name      string     `json:"name"`
	Version   uint32     `json:"version"`    // 0 = none published yet
	ExpiresAt int64      `json:"expires_at"` // unix ms; 0 = it does not expire, or none published yet
	Threshold int        `json:"threshold"`  // 0 for trust.json, which targets vouches for
	Keys      []TrustKey `json:"keys"`
	Sha256    string     `json:"sha256"` // of the document's exact bytes, lower hex; empty = none published yet
}

// TrustStatus says what an app's devices are told to trust.
type TrustStatus struct {
	App    string      `json:"app"`
	Roles  []TrustRole `json:"roles"` // root, targets, staging, snapshot, timestamp, trust; those without a root are absent
	Online TrustOnline `json:"online"`
}

// TrustDocument is a published document.
type TrustDocument struct {
	App       string `json:"app"`
	Role      string `json:"role"`
	Version   uint32 `json:"version"`
	ExpiresAt int64  `json:"expires_at"` // unix ms; 0 = it does not expire
	Sha256    string `json:"sha256"`     // of Document, lower hex
	Document  []byte `json:"document"`   // the exact bytes that are signed over and served, in base64
}

// TrustUpload asks for a document to be put in force. Either all of it is, or
// nothing.
type TrustUpload struct {
	Document []byte   `json:"document" doc:"the exact bytes of the document, in base64"`
	Files    [][]byte `json:"files,omitempty" doc:"files that the document lists and the server may not have yet (manifests, trust.json), in base64"`
}

// TrustSignature is one signature that counted.
type TrustSignature struct {
	Key     string `json:"key"` // id
	Role    string `json:"role"`
	Version uint32 `json:"version"`
}

// TrustPublished says what came of an upload. Signatures are those that were not
// known before: each has a record in the audit log and a leaf in the sealed log.
type TrustPublished struct {
	Role       string           `json:"role"`
	Version    uint32           `json:"version"`
	ExpiresAt  int64            `json:"expires_at"`
	Sha256     string           `json:"sha256"`
	Signatures []TrustSignature `json:"signatures"`
}

// TrustFile is a file that signed metadata lists: a manifest or trust.json.
type TrustFile struct {
	Sha256  string `json:"sha256"`
	Content []byte `json:"content"` // the exact bytes, in base64
}
