package run

import (
	"context"
	"errors"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/tilelog"
	"github.com/waxwing-ota/waxwing/internal/driver/blob"
	blobfs "github.com/waxwing-ota/waxwing/internal/driver/blob/fs"
	"github.com/waxwing-ota/waxwing/internal/driver/sqlstore"
	"github.com/waxwing-ota/waxwing/internal/plane/audit"
)

// Fault is one thing that is wrong with what is stored.
type Fault struct {
	Code    string   `json:"code"` // database_damaged, blob_missing, blob_damaged or a code of the audit log
	Message string   `json:"message"`
	Blob    string   `json:"blob,omitempty"` // its SHA-256
	Needed  []string `json:"needed_by,omitempty"`
	Fix     string   `json:"fix"`
}

// Checked is what a look through a data folder found.
type Checked struct {
	OK       bool    `json:"ok"`
	Blobs    int     `json:"blobs"` // whose bytes were hashed
	Bytes    int64   `json:"bytes"`
	Unneeded int     `json:"unneeded"` // blobs that no bundle needs any more; the server removes them in its time
	Entries  int64   `json:"entries"`  // of the audit log
	Root     string  `json:"root"`     // of its tree, to compare with a checkpoint kept elsewhere
	Faults   []Fault `json:"faults"`
}

// Check looks through the data folder: the database as its engine sees it, the
// bytes of every stored file, that all a bundle needs is there, and every entry of
// the audit log against its tree. It changes nothing, and a server may be running
// on the folder. Faults are no error.
func Check(ctx context.Context, dir string) (Checked, error) {
	d := dataDir{path: dir}
	return check(ctx, d.database(), d.blobs())
}

func check(ctx context.Context, database, files string) (Checked, error) {
	db, err := sqlstore.View(ctx, database)
	if err != nil {
		return Checked{}, err
	}
	defer func() { _ = db.Close() }() // it was only read
	blobs, err := blobfs.View(files, time.Now)
	if err != nil {
		return Checked{}, err
	}
	c := checker{db: db, blobs: blobs, out: Checked{Faults: []Fault{}}}
	for _, step := range []func(context.Context) error{c.database, c.files, c.log} {
		if err := step(ctx); err != nil {
			return Checked{}, err
		}
	}
	c.out.OK = len(c.out.Faults) == 0
	return c.out, nil
}

type checker struct {
	db    *sqlstore.DB
	blobs blob.Store
	out   Checked
}

const fromBackup = "stop the server and restore the newest backup that waxwing fsck finds nothing wrong with"

func (c *checker) database(ctx context.Context) error {
	found, err := c.db.Integrity(ctx)
	for _, line := range found {
		c.out.Faults = append(c.out.Faults, Fault{Code: "database_damaged", Message: line, Fix: fromBackup})
	}
	return err
}

// files hashes every stored file, then looks for those that are missing.
func (c *checker) files(ctx context.Context) error {
	use, err := c.db.BlobUse(ctx, math.MaxInt64)
	if err != nil {
		return err
	}
	missing, damaged := maps.Clone(use.Blobs), map[ota.Digest]struct{}{}
	err = c.blobs.Walk(ctx, func(i blob.Info) error {
		err := c.blobs.Check(ctx, i.Digest)
		if ota.CodeOf(err) == blob.CodeNotFound {
			return nil // removed meanwhile
		}
		if _, ok := use.Blobs[i.Digest]; !ok {
			c.out.Unneeded++
		}
		delete(missing, i.Digest)
		c.out.Blobs++
		c.out.Bytes += i.Size
		if ota.CodeOf(err) == blob.CodeCorrupt {
			damaged[i.Digest] = struct{}{}
			return nil
		}
		return err
	})
	if err != nil {
		return err
	}
	return c.tell(ctx, missing, damaged)
}

func (c *checker) tell(ctx context.Context, missing, damaged map[ota.Digest]struct{}) error {
	wanted := maps.Clone(missing)
	maps.Copy(wanted, damaged)
	if len(wanted) == 0 {
		return nil
	}
	users, err := c.db.BlobUsers(ctx, wanted)
	if err != nil {
		return err
	}
	for _, d := range sorted(wanted) {
		f := Fault{
			Code: "blob_missing", Message: "a stored file is missing", Blob: d.String(), Needed: users[d],
			Fix: "push these versions again from the same folder, or copy the file from a backup",
		}
		if _, ok := damaged[d]; ok {
			f.Code, f.Message = "blob_damaged", "a stored file is not what was stored"
			f.Fix = "delete the file, then " + f.Fix
			if len(f.Needed) == 0 {
				f.Fix = "delete the file: no bundle needs it"
			}
		}
		c.out.Faults = append(c.out.Faults, f)
	}
	return nil
}

func sorted(set map[ota.Digest]struct{}) []ota.Digest {
	return slices.SortedFunc(maps.Keys(set), func(a, b ota.Digest) int { return strings.Compare(a.String(), b.String()) })
}

func (c *checker) log(ctx context.Context) error {
	signer, err := tilelog.NewSigner(logName, [32]byte{}) // nothing is shown that it signs
	if err != nil {
		return err
	}
	log := audit.New(audit.Deps{Store: sqlstore.Audit{DB: c.db}, Signer: signer, Now: time.Now})
	size, err := log.CheckAll(ctx)
	c.out.Entries = size
	if e, ok := errors.AsType[*ota.Error](err); ok && e.Kind == ota.KindConflict || ok && e.Code == "audit_damaged" {
		c.out.Faults = append(c.out.Faults, Fault{
			Code: e.Code, Message: e.Msg,
			Fix: "keep a copy of the database: somebody changed it behind the server's back; then restore a backup",
		})
		return nil
	}
	if err != nil {
		return err
	}
	at, err := log.Checkpoint(ctx)
	c.out.Root = at.Root.String()
	return err
}
