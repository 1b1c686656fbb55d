package sqlstore

import (
	"context"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// treeTable is where the stored hashes of a log are: columns idx, as package tlog
// numbers them, and hash.
type treeTable struct {
	table string
	code  string // of the error of one that is damaged
	what  string // what people call the log
}

// damaged is the error of a log whose rows and hashes do not belong together:
// nothing is recorded on top of it.
func (t treeTable) damaged(why string) error {
	return ota.Errorf(ota.KindUnavailable, t.code, "the %s in the database is damaged: %s", t.what, why).
		WithHint("somebody changed the database behind the server's back: keep a copy of it, then restore a backup")
}

// size returns how many leaves there are when that is the last stored hash.
func (t treeTable) size(last int64) (int64, error) {
	if last < 0 {
		return 0, nil
	}
	// The last hash closes the largest subtree that the last leaf completes.
	level, n := tlog.SplitStoredHashIndex(last)
	size := (n + 1) << level
	if tlog.StoredHashCount(size) != last+1 {
		return 0, t.damaged("hashes are missing at its end")
	}
	return size, nil
}

// treeSize returns how many leaves the stored hashes have.
func (s reads) treeSize(ctx context.Context, t treeTable) (int64, error) {
	last, err := selectOne(ctx, s.q, nil, scanInt, `SELECT COALESCE(MAX(idx), -1) FROM `+t.table)
	if err != nil {
		return 0, err
	}
	return t.size(last)
}

// treeHashes returns stored hashes by their number, in the order of idx. All must
// be there.
func (s reads) treeHashes(ctx context.Context, t treeTable, idx []int64) ([]tlog.Hash, error) {
	type stored struct {
		idx  int64
		hash []byte
	}
	have := make(map[int64]tlog.Hash, len(idx))
	err := inChunks(idx, func(some []int64) error {
		rows, err := selectAll(ctx, s.q, func(r scanner) (h stored, err error) { return h, r.Scan(&h.idx, &h.hash) },
			`SELECT idx, hash FROM `+t.table+` WHERE idx IN (`+placeholders(1, len(some))+`)`, anys(some)...)
		for _, r := range rows {
			if len(r.hash) != tlog.HashSize {
				return t.damaged(fmt.Sprintf("hash %d is none", r.idx))
			}
			have[r.idx] = tlog.Hash(r.hash)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	out := make([]tlog.Hash, len(idx))
	for i, n := range idx {
		h, ok := have[n]
		if !ok {
			return nil, t.damaged(fmt.Sprintf("hash %d is missing", n))
		}
		out[i] = h
	}
	return out, nil
}

func (s reads) treeReader(ctx context.Context, t treeTable) tlog.HashReader {
	return tlog.HashReaderFunc(func(idx []int64) ([]tlog.Hash, error) { return s.treeHashes(ctx, t, idx) })
}

// lockLog keeps every other writer away from the ends of the logs until the
// transaction ends. SQLite has one writer anyway; elsewhere this takes a lock.
func (t *txn) lockLog(context.Context) error { return nil }

// appendHash stores the hash of leaf n with those of the subtrees it completes.
func (t *txn) appendHash(ctx context.Context, tree treeTable, n int64, h tlog.Hash) error {
	fresh, err := tlog.StoredHashesForRecordHash(n, h, t.treeReader(ctx, tree))
	if err != nil {
		return err
	}
	at := tlog.StoredHashIndex(0, n)
	rows, args := make([]string, len(fresh)), make([]any, 0, 2*len(fresh))
	for i := range fresh {
		rows[i] = "(" + placeholders(len(args)+1, 2) + ")"
		args = append(args, at+int64(i), fresh[i][:])
	}
	_, err = t.exec(ctx, `INSERT INTO `+tree.table+` (idx, hash) VALUES `+strings.Join(rows, ", "), args...)
	return err
}
