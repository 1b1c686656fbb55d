package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/ingest"
)

const insertEvent = `INSERT INTO events
	(app, device, ts, mark, received_at, action, version_name, old_version_name, version_build,
	 platform, plugin_version, channel, known, counted, metadata)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
	ON CONFLICT DO NOTHING`

// event stores one event with what follows from it, unless it is there already.
func (w *batch) event(e *ingest.EventRow) (stored bool, err error) {
	var meta any // NULL without metadata
	if len(e.Metadata) > 0 {
		b, err := json.Marshal(e.Metadata)
		if err != nil {
			return false, fmt.Errorf("encode event metadata: %w", err)
		}
		meta = string(b)
	}
	n, err := w.exec(insertEvent, e.App, e.Device[:], e.Timestamp, e.Mark, e.ReceivedAt, e.Action,
		e.VersionName, e.OldVersionName, e.VersionBuild, e.Platform, e.PluginVersion, e.Channel, e.Known, e.Counted, meta)
	if err != nil || n == 0 {
		return false, err
	}
	w.rollEvent(e)
	if e.Fails {
		if err := w.failure(e); err != nil {
			return false, err
		}
	}
	w.learnEvent(e)
	return true, nil
}

const eventColumns = `id, app, device, ts, received_at, action, version_name, old_version_name, version_build,
	platform, plugin_version, channel, known, counted, metadata`

func scanEvent(s scanner) (ota.Event, error) {
	var e ota.Event
	var device []byte
	var meta sql.NullString
	err := s.Scan(&e.ID, &e.App, &device, &e.Timestamp, &e.ReceivedAt, &e.Action, &e.VersionName, &e.OldVersionName,
		&e.VersionBuild, &e.Platform, &e.PluginVersion, &e.Channel, &e.Known, &e.Counted, &meta)
	if err != nil {
		return e, err
	}
	copy(e.Device[:], device)
	if meta.Valid {
		if err := json.Unmarshal([]byte(meta.String), &e.Metadata); err != nil {
			return e, fmt.Errorf("metadata of event %d: %w", e.ID, err)
		}
	}
	return e, nil
}

// maxLookedEvents is how many events a page of a search looks at.
const maxLookedEvents = 50_000

// Events lists what an app's devices reported, in the order of arrival, newest
// first. A page of a search over all devices may hold fewer than there is room
// for, even none, and yet have a next one.
func (s reads) Events(ctx context.Context, app string, f ota.EventFilter, p ota.Page) ([]ota.Event, string, error) {
	before, err := pageBefore(p)
	if err != nil {
		return nil, "", err
	}
	var w where
	w.and("id < %s", before)
	var until int64
	if f.Device == (ota.DeviceID{}) {
		w.and("app = %s", app)
		if f != (ota.EventFilter{}) {
			if until, err = s.eventBound(ctx, app, before, f.Since); err != nil {
				return nil, "", err
			}
			w.and("id >= %s", until)
		}
	} else {
		// The device's own index is the one to use; an expression on app keeps
		// the engine from walking all events of the app instead.
		w.and("device = %s", f.Device[:])
		w.and("app || '' = %s", app)
	}
	w.andText("action", f.Action)
	w.andText("version_name", f.Version)
	if f.Since > 0 {
		w.and("received_at >= %s", f.Since)
	}
	limit := pageLimit(p)
	items, err := selectAll(ctx, s.q, scanEvent,
		`SELECT `+eventColumns+` FROM events WHERE `+w.String()+` ORDER BY id DESC LIMIT `+w.arg(limit+1), w.args...)
	if err != nil {
		return nil, "", err
	}
	items, next := pageNext(items, limit, func(e ota.Event) int64 { return e.ID })
	if next == "" && until > 0 {
		next = strconv.FormatInt(until, 36)
	}
	return items, next, nil
}

// eventBound returns the event where a walk from before on ends for one page; 0 =
// no event that came at since or later is left beyond.
func (s reads) eventBound(ctx context.Context, app string, before, since int64) (int64, error) {
	var id, at int64
	err := s.q.QueryRowContext(ctx, `SELECT id, received_at FROM events WHERE app = $1 AND id < $2 ORDER BY id DESC LIMIT 1 OFFSET $3`,
		app, before, maxLookedEvents-1).Scan(&id, &at)
	if errors.Is(err, sql.ErrNoRows) || err == nil && at < since {
		return 0, nil
	}
	if err != nil {
		return 0, storeError("query", err)
	}
	return id, nil
}

// where collects conditions and their arguments.
type where struct {
	conds []string
	args  []any
}

// arg adds an argument and returns its placeholder.
func (w *where) arg(v any) string {
	w.args = append(w.args, v)
	return fmt.Sprintf("$%d", len(w.args))
}

// and adds a condition with one placeholder, written %s.
func (w *where) and(cond string, v any) { w.conds = append(w.conds, fmt.Sprintf(cond, w.arg(v))) }

// andText adds "column = v" unless v is empty.
func (w *where) andText(column, v string) {
	if v != "" {
		w.and(column+" = %s", v)
	}
}

// String returns the conditions joined by AND.
func (w *where) String() string { return strings.Join(w.conds, " AND ") }
