package monitor

import (
	"context"
	"strconv"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/tilelog"
)

func num(n int64) string { return strconv.FormatInt(n, 10) }

// Compare holds a checkpoint that somebody else saw against the log as it was read
// here. Two that do not belong to one log are told as an alert, with both notes,
// and returned as log_forked. A longer one than this monitor was shown is
// log_hidden: the log is looked at once more first.
func (m *Monitor) Compare(ctx context.Context, other string) error {
	o, err := openAll(other, m.keys)
	if err != nil {
		return err // nobody proves anything with what the log's keys did not sign
	}
	if o.Size > m.kept.Size {
		if err := m.Step(ctx); err != nil {
			return err
		}
	}
	if o.Size > m.kept.Size {
		err := ota.Conflict("log_hidden", "elsewhere the log has %d entries, here only %d are shown", o.Size, m.kept.Size)
		m.Raise("log_hidden", err.Error(), m.state.Checkpoint, other)
		return err
	}
	root, err := m.rootAt(ctx, o.Size)
	if err != nil {
		return err
	}
	if root != o.Root {
		err := ota.Conflict("log_forked", "the log of %d entries that was seen elsewhere is not the beginning of the one of %d entries that is shown here", o.Size, m.kept.Size).
			WithHint("two logs are signed with one key: keep both checkpoints as evidence")
		m.Raise("log_forked", err.Error(), m.state.Checkpoint, other)
		return err
	}
	return nil
}

// rootAt is the root of the first entries of the kept log, from tiles that are
// verified against its checkpoint.
func (m *Monitor) rootAt(ctx context.Context, size int64) (tlog.Hash, error) {
	if size == m.kept.Size {
		return m.kept.Root, nil
	}
	return tilelog.RootOf(size, tlog.TileHashReader(tlog.Tree{N: m.kept.Size, Hash: m.kept.Root}, tiles{ctx, m.o.Source}))
}
