package enrol

import (
	"context"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
)

// Row is an enrolled device with what only the server needs.
type Row struct {
	ota.SealedDevice

	SignKey     p256.Key
	AgreeKey    []byte
	CertDigest  ota.Digest // of Certificate
	Certificate []byte     // the envelope
	Salt        []byte
}

// Reader is what can be read, within a transaction or outside.
type Reader interface {
	App(ctx context.Context, id string) (ota.App, error)
	// SealedPolicy returns an app's policy; one that nobody set is an error of KindNotFound.
	SealedPolicy(ctx context.Context, app string) (ota.SealedPolicy, error)
	// SealedDevices lists enrolled devices, newest first.
	SealedDevices(ctx context.Context, app string, f ota.SealedDeviceFilter, p ota.Page) ([]ota.SealedDevice, string, error)
	// SealedDevice finds the keys of a device by their thumbprint.
	SealedDevice(ctx context.Context, app, thumbprint string) (Row, error)
	// SealedDeviceBy finds the device whose newest certificate has the digest.
	SealedDeviceBy(ctx context.Context, app string, certificate ota.Digest) (Row, error)
	// SealedRevoked finds a revocation that names any of them; "" and 0 name nothing.
	SealedRevoked(ctx context.Context, app, device, subject string, serial int64) (bool, error)
	// SealedRevocations lists those that hold, newest first.
	SealedRevocations(ctx context.Context, app string, p ota.Page) ([]ota.SealedRevocation, string, error)
	SealedRevocation(ctx context.Context, app string, id int64) (ota.SealedRevocation, error)
	// SealedUses lists what was counted since (Unix ms), newest first.
	SealedUses(ctx context.Context, app string, since int64, p ota.Page) ([]ota.SealedUse, string, error)
}

// Tx is a transaction that writes.
type Tx interface {
	Reader
	PutSealedPolicy(ctx context.Context, p ota.SealedPolicy) error
	InsertSealedRevocation(ctx context.Context, r ota.SealedRevocation) (ota.SealedRevocation, error)
	DeleteSealedRevocation(ctx context.Context, app string, id int64) error
}

// Issue is a transaction that gives a certificate.
type Issue interface {
	Reader
	// NextSerial takes the app's next serial.
	NextSerial(ctx context.Context, app string) (int64, error)
	// TakeNonce notes a nonce as used; false = it was. Those that ended before
	// now are forgotten.
	TakeNonce(ctx context.Context, nonce []byte, expires, now int64) (bool, error)
	// PutSealedDevice adds the device, or replaces the certificate of its keys.
	PutSealedDevice(ctx context.Context, r Row) error
	// PurgeSealedDevices removes keys whose certificate ended before a time, a
	// few at once.
	PurgeSealedDevices(ctx context.Context, before int64) error
	// AppendSealedLeaf writes a leaf of the log of sealed updates.
	AppendSealedLeaf(ctx context.Context, kind string, digest ota.Digest) error
}

// Store is the database.
type Store interface {
	Reader
	// Update runs fn in one transaction and records the change with it.
	Update(ctx context.Context, actor ota.Actor, at int64, fn func(Tx) (ota.Change, error)) error
	// Issue runs fn in one transaction at a time (Unix ms).
	Issue(ctx context.Context, at int64, fn func(Issue) error) error
	// SealedVoted reports whether a device had its vote on the stage of a release.
	SealedVoted(ctx context.Context, app, device string, seq int64, stage uint) (bool, error)
	// TakeReport notes the number of a report, if it is above the last, and the
	// device's vote on the stage.
	TakeReport(ctx context.Context, app, thumbprint, device string, n, seq int64, stage uint) error
	// AddSealedUses adds counts, and what devices were granted.
	AddSealedUses(ctx context.Context, uses []ota.SealedUse, granted []Granted) error
}

// Granted says that a device was granted keys.
type Granted struct {
	App, Thumbprint string
	At              int64
	N               int64
}
