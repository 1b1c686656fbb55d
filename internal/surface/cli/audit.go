package cli

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/client"
	"github.com/waxwing-ota/waxwing/internal/core/auditlog"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/tilelog"
)

func newAuditCommand(g *Globals) *cobra.Command {
	return newGroup("audit", "Read, verify and keep the audit log", newAuditListCommand(g), newAuditShowCommand(g),
		newAuditVerifyCommand(g), newAuditExportCommand(g), newAuditWatchCommand(g), newAuditCheckpointCommand(g), newAuditKeyCommand(g))
}

// auditState is what verify and watch keep in a file of their own between runs.
type auditState struct {
	Key        string `json:"key"`        // verifier key of the log
	Checkpoint string `json:"checkpoint"` // the last one that was verified, signed
}

// maxState bounds the files that hold a checkpoint, in bytes.
const maxState = 64 << 10

func readBounded(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, ota.Invalid("file_unreadable", "cannot read %s", path).WithCause(err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxState+1))
	if err != nil || len(b) > maxState {
		return nil, ota.Invalid("file_unreadable", "cannot read %s, or it is too long", path).WithCause(err)
	}
	return b, nil
}

// readState reads a state file; one that is not there yet is empty.
func readState(path string) (s auditState, err error) {
	if path == "" {
		return s, nil
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	b, err := readBounded(path)
	if err != nil {
		return s, err
	}
	if json.Unmarshal(b, &s) != nil || s.Key == "" || s.Checkpoint == "" {
		return s, ota.Invalid("state_invalid", "%s is not a state file of waxwing audit", path).
			WithHint("name another file; if this one was damaged, what it proved is lost")
	}
	return s, nil
}

// writeState puts a new state in the place of the old one.
func writeState(path string, s auditState) error {
	if path == "" {
		return nil
	}
	return writeJSONFile(path, s)
}

// writeJSONFile puts a new file in the place of the old one, all of it or none.
func writeJSONFile(path string, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".waxwing-*")
	if err == nil {
		defer func() { _ = os.Remove(f.Name()) }() // after the rename it is not there any more
		_, err = f.Write(append(b, '\n'))
		if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
			err = os.Rename(f.Name(), path)
		}
	}
	if err != nil {
		return ota.Invalid("file_unwritable", "cannot write %s", path).WithCause(err).
			WithHint("name a file in a folder that exists and that you may write to")
	}
	return nil
}

// trust is what the log is verified against.
type trust struct {
	key    string
	pinned bool // the key is not just what the server says
	kept   auditlog.Kept
}

// trustOf puts together what was kept elsewhere. ask is asked for the key when
// nobody names one.
func trustOf(key, checkpoint string, s auditState, ask func() (string, error)) (trust, error) {
	t := trust{key: key, pinned: true}
	if t.key == "" {
		t.key = s.Key
	}
	if s.Key != "" && t.key != s.Key {
		return t, ota.Conflict("key_changed", "the state file is of the key %s, not of %s", s.Key, t.key).
			WithHint("a log has one key for ever: the other one belongs to another server or to somebody else")
	}
	if t.key == "" {
		t.pinned = false
		var err error
		if t.key, err = ask(); err != nil {
			return t, err
		}
	}
	signed := []string{s.Checkpoint}
	if checkpoint != "" {
		b, err := readBounded(checkpoint)
		if err != nil {
			return t, err
		}
		signed = append(signed, string(b))
	}
	for _, note := range signed {
		if note == "" {
			continue
		}
		c, err := tilelog.OpenCheckpoint(note, t.key)
		if err != nil {
			return t, err
		}
		t.kept = append(t.kept, c)
	}
	return t, nil
}

func serverKey(ctx context.Context, cl *client.Client) func() (string, error) {
	return func() (string, error) {
		k, err := cl.AuditKey(ctx)
		return k.Key, err
	}
}

// timeArg reads a time as RFC 3339, a day, or how long ago, such as 24h.
func timeArg(flag, s string) (int64, error) {
	if s == "" {
		return 0, nil
	}
	if d, err := time.ParseDuration(s); err == nil && d > 0 {
		return time.Now().Add(-d).UnixMilli(), nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UnixMilli(), nil
		}
	}
	return 0, usagef("--%s: %q is no time", flag, s).WithHint("write it like 2026-01-31, 2026-01-31T12:00:00Z, or 24h for a day ago")
}

// entryID reads the argument of commands about one entry.
func entryID(s string) (int64, error) {
	id, err := strconv.ParseInt(s, 10, 64)
	if err != nil || id < 1 {
		return 0, usagef("%q is not the id of an entry", s).WithHint("see: waxwing audit list")
	}
	return id, nil
}
