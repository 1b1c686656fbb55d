package trust

import (
	"context"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Document is signed metadata, or trust.json, that is or was in force.
type Document struct {
	App       string
	Role      string
	Version   uint32
	SHA256    ota.Digest
	Body      []byte
	ExpiresAt int64 // unix ms; 0 = never
	CreatedAt int64
	CreatedBy string
}

// Key is a key the server signs with; Private is sealed.
type Key struct {
	Use       string
	ID        string
	Private   []byte
	CreatedAt int64
}

// Reader is what can be read, within a transaction or outside. What is not
// there is an error of KindNotFound.
type Reader interface {
	App(ctx context.Context, id string) (ota.App, error)
	Bundle(ctx context.Context, app, version string) (ota.Bundle, error)
	BundleTree(ctx context.Context, bundleID int64) ([]ota.TreeFile, error)

	// TrustApps lists the apps that have a document.
	TrustApps(ctx context.Context) ([]string, error)
	// TrustDocuments lists every kept document of an app, oldest version first.
	TrustDocuments(ctx context.Context, app string) ([]Document, error)
	// TrustKeys lists the keys of an app, newest first.
	TrustKeys(ctx context.Context, app string) ([]Key, error)

	// SealedManifests lists the manifests of an app, highest number first;
	// version "" = of all bundles that are not deleted.
	SealedManifests(ctx context.Context, app, version string) ([]ota.SealedManifest, error)
	// SealedManifest finds a manifest by its digest.
	SealedManifest(ctx context.Context, app string, d ota.Digest) (ota.SealedManifest, error)
	// HighestSeq returns the highest number that was ever used, 0 for none.
	HighestSeq(ctx context.Context, app string) (int64, error)

	// SealedKeys lists the wrapped keys of an epoch; 0 = of the latest.
	SealedKeys(ctx context.Context, app string, epoch int64) ([]ota.SealedKey, error)
}

// Tx is a transaction that writes.
type Tx interface {
	Reader

	// PutTrustDocument adds a document. Of roles other than root only the latest
	// few versions are kept.
	PutTrustDocument(ctx context.Context, d Document) error
	PutTrustKey(ctx context.Context, app string, k Key) error
	// InsertSealedManifest adds a manifest and the blobs it needs.
	InsertSealedManifest(ctx context.Context, m ota.SealedManifest, blobs []ota.Digest) error
	InsertSealedKey(ctx context.Context, k ota.SealedKey) error
	// AppendSealedLeaf writes a leaf of the log of sealed updates for a document of
	// a kind, unless there is one.
	AppendSealedLeaf(ctx context.Context, kind string, digest ota.Digest) error
}

// Store is the database.
type Store interface {
	Reader
	// Update runs fn in one transaction and records the change with it.
	Update(ctx context.Context, actor ota.Actor, at int64, fn func(Tx) (ota.Change, error)) error
}
