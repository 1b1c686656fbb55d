package sqlstore

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/waxwing-ota/waxwing/internal/core/hll"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/rollup"
	"github.com/waxwing-ota/waxwing/internal/plane/ingest"
)

// rollups keeps between the transactions of [DB.Write] what would cost to read
// anew: the sets and histograms of the steps that are being filled. A transaction
// that fails leaves nothing of itself: all is read again.
type rollups struct {
	mu       sync.Mutex // held for a whole Write
	key      cipher.Block
	names    rollup.Names
	active   map[activeKey]*activeSet
	launches map[cellKey]*launchHist
	delta    rollup.Delta
}

// cellKey is the key of most tables.
type cellKey struct {
	app  string
	res  rollup.Resolution
	at   int64
	name string // the version
}

type activeKey struct {
	cellKey
	dim rollup.Dim
}

type activeSet struct {
	hll.Set
	dirty bool
}

type launchHist struct {
	rollup.Hist
	dirty bool
}

// maxKept bounds how many sets and histograms are kept.
const maxKept = 1000

// forget drops all that is kept.
func (r *rollups) forget() {
	r.delta.Reset()
	r.names, r.active, r.launches = rollup.Names{}, map[activeKey]*activeSet{}, map[cellKey]*launchHist{}
}

// drop is forget for those who are not in a Write.
func (r *rollups) drop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forget()
}

// open reads the key; the transaction must not have begun yet.
func (r *rollups) open(ctx context.Context, db *sql.DB) error {
	if r.key != nil {
		return nil
	}
	var key []byte
	if err := db.QueryRowContext(ctx, `SELECT key FROM rollup_key WHERE id = 1`).Scan(&key); err != nil {
		return storeError("query", err)
	}
	var err error
	if r.key, err = aes.NewCipher(key); err != nil {
		return fmt.Errorf("key of the rollups: %w", err)
	}
	r.forget()
	return nil
}

// hash tells devices apart. One block of AES is a keyed permutation of ids.
func (r *rollups) hash(id *ota.DeviceID) uint64 {
	var out [aes.BlockSize]byte
	r.key.Encrypt(out[:], id[:])
	return binary.BigEndian.Uint64(out[:])
}

var (
	addCounts = `INSERT INTO rollup_counts (app, res, at, version, ` + strings.Join(rollup.Columns[:], ", ") + `)
	VALUES (` + placeholders(1, 4+rollup.Fields) + `) ON CONFLICT (app, res, at, version) DO UPDATE SET ` + sums(rollup.Columns[:])

	rollupSQL = []string{
		addCounts, addReason, readLaunches, putLaunches, readActive, putActive, readPresence, putPresence,
		versionNames, dimNames, reasonNames,
	}
)

func sums(columns []string) string {
	var b strings.Builder
	for i, c := range columns {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%[1]s = rollup_counts.%[1]s + excluded.%[1]s", c)
	}
	return b.String()
}

const (
	addReason = `INSERT INTO rollup_reasons (app, res, at, version, reason, n) VALUES ($1, $2, $3, $4, $5, $6)
	ON CONFLICT (app, res, at, version, reason) DO UPDATE SET n = rollup_reasons.n + excluded.n`

	readLaunches = `SELECT hist FROM rollup_launches WHERE app = $1 AND res = $2 AND at = $3 AND version = $4`
	putLaunches  = `INSERT INTO rollup_launches (app, res, at, version, hist) VALUES ($1, $2, $3, $4, $5)
	ON CONFLICT (app, res, at, version) DO UPDATE SET hist = excluded.hist`

	readActive = `SELECT devices FROM rollup_active WHERE app = $1 AND res = $2 AND at = $3 AND dim = $4 AND name = $5`
	putActive  = `INSERT INTO rollup_active (app, res, at, dim, name, n, devices) VALUES ($1, $2, $3, $4, $5, $6, $7)
	ON CONFLICT (app, res, at, dim, name) DO UPDATE SET n = excluded.n, devices = excluded.devices`

	readPresence = `SELECT marks FROM rollup_presence WHERE app = $1 AND device = $2`
	putPresence  = `INSERT INTO rollup_presence (app, device, seen, marks) VALUES ($1, $2, $3, $4)
	ON CONFLICT (app, device) DO UPDATE SET seen = excluded.seen, marks = excluded.marks`

	versionNames = `SELECT name FROM rollup_active WHERE app = $1 AND res = 2 AND at = $2 AND dim = 1
	UNION SELECT version FROM rollup_counts WHERE app = $1 AND res = 2 AND at = $2`
	dimNames    = `SELECT name FROM rollup_active WHERE app = $1 AND res = 2 AND at = $2 AND dim = $3`
	reasonNames = `SELECT DISTINCT reason FROM rollup_reasons WHERE app = $1 AND res = 2 AND at = $2`
)

// rollEvent adds an event that was stored.
func (w *batch) rollEvent(e *ingest.EventRow) {
	w.roll.delta.Event(&rollup.Event{
		App: e.App, Device: e.Device, Action: e.Action, Version: e.Sum.Version, Published: e.Sum.Published, Running: e.Sum.Running,
		Platform: e.Platform, OS: e.Sum.OS, Plugin: e.PluginVersion, At: e.Timestamp, Got: e.ReceivedAt, Metadata: e.Metadata,
	})
}

// rollup writes what the batch adds up to.
func (w *batch) rollup() error {
	d := &w.roll.delta
	defer d.Reset()
	for i := range w.out.Moves {
		m := &w.out.Moves[i]
		// Only published versions have outcomes.
		d.Move(&rollup.Move{App: m.App, Version: m.Version, Published: true, From: m.From, To: m.To, Reason: m.Reason, At: m.At})
	}
	if d.Empty() {
		return nil
	}
	for _, write := range []func(*rollup.Delta) error{w.rollMarks, w.rollActive, w.rollCounts, w.rollReasons, w.rollLaunches} {
		if err := write(d); err != nil {
			return err
		}
	}
	if len(w.roll.active)+len(w.roll.launches) > maxKept {
		w.roll.forget()
	}
	return nil
}

// rollMarks adds turns to the foreground and to the background to what is
// remembered of their devices. It adds to d.Counts, so it comes first.
func (w *batch) rollMarks(d *rollup.Delta) error {
	var uses []rollup.Use
	var room []byte
	for who, marks := range d.Marks {
		stored, err := w.bytes(readPresence, who.App, who.Device[:])
		if err != nil {
			return err
		}
		p, err := rollup.DecodePresence(stored)
		if err != nil {
			return err
		}
		uses = uses[:0]
		var seen int64
		for _, m := range marks {
			uses, _ = p.Add(m, uses)
			seen = max(seen, m.Got)
		}
		for i := range uses {
			d.Use(who.App, &uses[i])
		}
		room = p.Append(room[:0])
		if _, err := w.exec(putPresence, who.App, who.Device[:], seen, room); err != nil {
			return err
		}
	}
	return nil
}

func (w *batch) rollCounts(d *rollup.Delta) error {
	all := make(map[cellKey]*rollup.Counts, 3*len(d.Counts))
	for c, n := range d.Counts {
		version, err := w.admit(rollup.Version, c.App, c.At, c.Version, c.Published)
		if err != nil {
			return err
		}
		for _, res := range rollup.Resolutions {
			k := cellKey{c.App, res, res.Floor(c.At), version}
			if have := all[k]; have != nil {
				have.Add(n)
			} else {
				sum := *n
				all[k] = &sum
			}
		}
	}
	args := make([]any, 4+rollup.Fields)
	for k, n := range all {
		if *n == (rollup.Counts{}) {
			continue
		}
		args[0], args[1], args[2], args[3] = k.app, int64(k.res), k.at, k.name
		for i, v := range n {
			args[4+i] = v
		}
		if _, err := w.exec(addCounts, args...); err != nil {
			return err
		}
	}
	return nil
}

func (w *batch) rollReasons(d *rollup.Delta) error {
	type reasonKey struct {
		cellKey
		reason string
	}
	all := map[reasonKey]int64{}
	for c, n := range d.Reasons {
		version, err := w.admit(rollup.Version, c.App, c.At, c.Version, c.Published)
		if err != nil {
			return err
		}
		reason, err := w.admit(rollup.Reason, c.App, c.At, c.Reason, false)
		if err != nil {
			return err
		}
		for _, res := range rollup.Resolutions {
			all[reasonKey{cellKey{c.App, res, res.Floor(c.At), version}, reason}] += n
		}
	}
	for k, n := range all {
		if _, err := w.exec(addReason, k.app, int64(k.res), k.at, k.name, k.reason, n); err != nil {
			return err
		}
	}
	return nil
}

func (w *batch) rollLaunches(d *rollup.Delta) error {
	var changed []cellKey
	for c, h := range d.Launches {
		version, err := w.admit(rollup.Version, c.App, c.At, c.Version, c.Published)
		if err != nil {
			return err
		}
		for _, res := range rollup.Resolutions[rollup.Hour:] {
			k := cellKey{c.App, res, res.Floor(c.At), version}
			have := w.roll.launches[k]
			if have == nil {
				stored, err := w.bytes(readLaunches, k.app, int64(k.res), k.at, k.name)
				if err != nil {
					return err
				}
				have = &launchHist{}
				if have.Hist, err = rollup.DecodeHist(stored); err != nil {
					return err
				}
				w.roll.launches[k] = have
			}
			have.Merge(h)
			if !have.dirty {
				have.dirty, changed = true, append(changed, k)
			}
		}
	}
	for _, k := range changed {
		h := w.roll.launches[k]
		h.dirty = false
		if _, err := w.exec(putLaunches, k.app, int64(k.res), k.at, k.name, h.Append(nil)); err != nil {
			return err
		}
	}
	return nil
}

// admit returns the name under which a claim is counted.
func (w *batch) admit(dim rollup.Dim, app string, at int64, name string, published bool) (string, error) {
	k := rollup.NameKey{App: app, Dim: dim, Day: rollup.Day.Floor(at)}
	if !w.roll.names.Known(k) {
		query, args := dimNames, []any{app, k.Day, int64(dim)}
		switch dim {
		case rollup.Version:
			query, args = versionNames, args[:2]
		case rollup.Reason:
			query, args = reasonNames, args[:2]
		}
		rows, err := w.stmt(query).QueryContext(w.ctx, args...) //nolint:sqlclosecheck // the transaction closes its statements
		if err != nil {
			return "", storeError("query", err)
		}
		defer rows.Close()
		var have []string
		for rows.Next() {
			var name string
			if err := rows.Scan(&name); err != nil {
				return "", storeError("scan", err)
			}
			have = append(have, name)
		}
		if err := rows.Err(); err != nil {
			return "", storeError("read", err)
		}
		w.roll.names.Load(k, have)
	}
	return w.roll.names.Admit(k, name, published), nil
}

// bytes reads one column of at most one row; nil = there is none.
func (w *batch) bytes(query string, args ...any) (b []byte, err error) {
	err = w.stmt(query).QueryRowContext(w.ctx, args...).Scan(&b) //nolint:sqlclosecheck // the transaction closes its statements
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, storeError("query", err)
	}
	return b, nil
}
