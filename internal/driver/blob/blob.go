// Package blob keeps immutable byte strings named by their SHA-256. Store is
// the one interface; its drivers live in the folders below and pass the suite
// in blobtest.
//
// A Store must never return bytes under a name that they do not hash to as far
// as it can know, never show half a blob under its name, and never know what
// the bytes mean or who refers to them.
package blob

import (
	"context"
	"io"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// The codes of the errors of a Store.
const (
	CodeNotFound    = "blob_not_found"       // KindNotFound
	CodeMismatch    = "blob_digest_mismatch" // KindInvalid: the bytes do not hash to the name
	CodeOffset      = "blob_offset_mismatch" // KindConflict: the upload is at another offset
	CodeTooLarge    = "blob_too_large"       // KindTooLarge
	CodeDiskFull    = "disk_full"            // KindUnavailable
	CodeCorrupt     = "blob_corrupt"         // KindInternal: the stored bytes changed
	CodeUnavailable = "blob_unavailable"     // KindUnavailable: the storage refuses reads or writes
)

// Info describes a stored blob.
type Info struct {
	Digest ota.Digest
	Size   int64     // bytes
	Stored time.Time // when it was stored, or stored again
}

// Store keeps blobs. All methods may be called by many goroutines. Errors are
// *ota.Error with one of the codes above, or the error of the context or of the
// caller's reader.
type Store interface {
	// Has reports whether the blob is there, and its size.
	Has(ctx context.Context, d ota.Digest) (size int64, ok bool, err error)

	// Put stores what r yields, at most max bytes. It is all or nothing: if r
	// fails, yields something else than d says, or the disk is full, nothing of
	// it is left behind. A blob that is there already is left as it is and r is
	// not read; its time is renewed.
	Put(ctx context.Context, d ota.Digest, r io.Reader, max int64) error

	// Append continues an upload at offset, which must be where it is now, or 0
	// to start over. When what is there hashes to d it becomes the blob
	// (complete). What arrived before r failed is kept and newOffset tells how
	// much that is. More than max bytes in all are refused.
	Append(ctx context.Context, d ota.Digest, offset int64, r io.Reader, max int64) (complete bool, newOffset int64, err error)

	// Offset tells how much of an unfinished upload is there.
	Offset(ctx context.Context, d ota.Digest) (int64, error)

	// Open reads a blob. The caller closes it.
	Open(ctx context.Context, d ota.Digest) (io.ReadSeekCloser, int64, error)

	// Check reads a blob whole and reports CodeCorrupt if it is not d any more.
	Check(ctx context.Context, d ota.Digest) error

	// Delete removes a blob; one that is not there is no error.
	Delete(ctx context.Context, d ota.Digest) error

	// Walk calls fn for every blob, in no order, until fn fails.
	Walk(ctx context.Context, fn func(Info) error) error

	// Sweep removes unfinished uploads last touched before t and says how many.
	Sweep(ctx context.Context, t time.Time) (int, error)

	// Sync returns when everything stored before the call survives a power cut.
	Sync(ctx context.Context) error
}
