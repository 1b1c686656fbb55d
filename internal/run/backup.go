package run

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/driver/blob"
	blobfs "github.com/waxwing-ota/waxwing/internal/driver/blob/fs"
	"github.com/waxwing-ota/waxwing/internal/driver/sqlstore"
)

// Backup is what a copy of a data folder holds.
type Backup struct {
	Dir     string `json:"dir"`
	At      int64  `json:"at"`      // Unix milliseconds of the moment it shows
	Copied  int    `json:"copied"`  // stored files that were not there from an earlier backup
	Removed int    `json:"removed"` // stored files of earlier backups that are needed no more
	Blobs   int    `json:"blobs"`
	Bytes   int64  `json:"bytes"`   // of them
	Entries int64  `json:"entries"` // of the audit log
	Root    string `json:"root"`    // of its tree
}

const (
	backupNote = "backup.json"
	backupPart = "waxwing.db.part" // the database of a backup that is being made
)

// MakeBackup copies the data folder from to the folder to, while a server may be
// running on it. A folder that holds an earlier backup is brought up to date: only
// files it lacks are copied, and the old database stays until the new copy is read
// again whole and nothing is wrong with it.
func MakeBackup(ctx context.Context, from, to string) (Backup, error) {
	if err := forBackup(from, to); err != nil {
		return Backup{}, err
	}
	b := Backup{Dir: to, At: time.Now().UnixMilli()}
	copies, needed, err := b.fill(ctx, dataDir{path: from}, dataDir{path: to})
	if err != nil {
		return Backup{}, err
	}
	if b.Removed, err = prune(ctx, copies, needed); err != nil {
		return Backup{}, err
	}
	note, err := json.MarshalIndent(b, "", "  ")
	if err != nil {
		return b, err
	}
	if err := os.WriteFile(filepath.Join(to, backupNote), append(note, '\n'), 0o600); err != nil {
		return b, unwritable(to, err)
	}
	return b, flushDir(to)
}

// fill copies one folder to another. The database gets its name when all that it
// needs is there and was hashed again.
func (b *Backup) fill(ctx context.Context, from, to dataDir) (blob.Store, map[ota.Digest]struct{}, error) {
	part := filepath.Join(to.path, backupPart)
	if err := os.Remove(part); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, unwritable(to.path, err)
	}
	if err := sqlstore.Copy(ctx, from.database(), part); err != nil {
		return nil, nil, err
	}
	copies, err := blobfs.Open(to.blobs(), time.Now)
	if err != nil {
		return nil, nil, err
	}
	needed, err := copyBlobs(ctx, part, from.blobs(), copies, &b.Copied)
	if err != nil {
		return nil, nil, err
	}
	c, err := check(ctx, part, to.blobs())
	if err != nil {
		return nil, nil, err
	}
	if !c.OK {
		return nil, nil, ota.Conflict("copy_damaged", "the copy at %s is not whole: %s (%d faults)", to.path, c.Faults[0].Message, len(c.Faults)).
			WithHint("look at the source with waxwing fsck, then try again")
	}
	b.Blobs, b.Bytes, b.Entries, b.Root = len(needed), c.Bytes, c.Entries, c.Root
	for _, side := range []string{"-wal", "-shm"} { // of a database that had the name before
		if err := os.Remove(to.database() + side); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, nil, unwritable(to.path, err)
		}
	}
	if err := os.Rename(part, to.database()); err != nil {
		return nil, nil, unwritable(to.path, err)
	}
	return copies, needed, flushDir(to.path)
}

// forBackup checks both folders and makes the second.
func forBackup(from, to string) error {
	if inside(from, to) || inside(to, from) {
		return ota.Invalid("backup_inside", "the backup and the data folder lie within one another").WithField("to").
			WithHint("choose a folder elsewhere, best on another disk")
	}
	if err := os.MkdirAll(to, 0o700); err != nil {
		return unwritable(to, err)
	}
	have, err := os.ReadDir(to)
	if err != nil {
		return unwritable(to, err)
	}
	if slices.ContainsFunc(have, func(e fs.DirEntry) bool { return e.Name() == "lock" }) {
		return ota.Conflict("backup_into_data", "%s is the data folder of a server, not a backup", to).WithField("to").
			WithHint("choose an empty folder")
	}
	for _, e := range have {
		switch e.Name() {
		case backupNote, backupPart, "waxwing.db", "waxwing.db-wal", "waxwing.db-shm", "blobs":
		default:
			return ota.Conflict("backup_folder_used", "%s holds other things than a backup, such as %s", to, e.Name()).WithField("to").
				WithHint("choose an empty folder")
		}
	}
	return nil
}

func inside(a, b string) bool {
	rel, err := filepath.Rel(absolute(a), absolute(b))
	return err == nil && filepath.IsLocal(rel)
}

func absolute(p string) string {
	if abs, err := filepath.Abs(p); err == nil {
		p = abs
	}
	if real, err := filepath.EvalSymlinks(p); err == nil {
		p = real
	}
	return p
}

func unwritable(dir string, err error) error {
	return ota.Errorf(ota.KindUnavailable, "folder_unwritable", "cannot write to %s", dir).WithCause(err).
		WithHint("check the rights and the room on that disk")
}

// copyBlobs copies what the database at path needs and to lacks, and returns all
// that it needs.
func copyBlobs(ctx context.Context, path, from string, to blob.Store, copied *int) (map[ota.Digest]struct{}, error) {
	db, err := sqlstore.View(ctx, path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = db.Close() }() // it was only read
	use, err := db.BlobUse(ctx, math.MaxInt64)
	if err != nil {
		return nil, err
	}
	blobs, err := blobfs.View(from, time.Now)
	if err != nil {
		return nil, err
	}
	for d := range use.Blobs {
		if _, ok, err := to.Has(ctx, d); err != nil || ok {
			if err != nil {
				return nil, err
			}
			continue
		}
		if err := copyBlob(ctx, d, blobs, to); err != nil {
			return nil, err
		}
		*copied++
	}
	return use.Blobs, to.Sync(ctx)
}

func copyBlob(ctx context.Context, d ota.Digest, from, to blob.Store) error {
	r, size, err := from.Open(ctx, d)
	if err != nil {
		return missingSource(d, err)
	}
	defer r.Close()
	return to.Put(ctx, d, io.LimitReader(r, size), size)
}

func missingSource(d ota.Digest, err error) error {
	if ota.CodeOf(err) != blob.CodeNotFound {
		return err
	}
	return ota.Conflict("backup_incomplete", "the stored file %s is not there", d).
		WithHint("a version may have been deleted just now: run it again; if it stays so, run waxwing fsck")
}

// prune removes blobs that are not needed, and says how many.
func prune(ctx context.Context, blobs blob.Store, needed map[ota.Digest]struct{}) (int, error) {
	var old []ota.Digest
	err := blobs.Walk(ctx, func(i blob.Info) error {
		if _, ok := needed[i.Digest]; !ok {
			old = append(old, i.Digest)
		}
		return nil
	})
	for _, d := range old {
		err = errors.Join(err, blobs.Delete(ctx, d))
	}
	return len(old), err
}
