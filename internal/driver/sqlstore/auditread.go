package sqlstore

import (
	"context"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// AuditSize returns how many entries the log has. It fails with audit_damaged
// if the rows are not as many.
func (s reads) AuditSize(ctx context.Context) (int64, error) {
	var last, lowest, highest int64
	err := s.q.QueryRowContext(ctx, `SELECT COALESCE((SELECT MAX(idx) FROM audit_hashes), -1),
		COALESCE((SELECT MIN(leaf) FROM changes), 0), COALESCE((SELECT MAX(leaf) FROM changes), -1)`).Scan(&last, &lowest, &highest)
	if err != nil {
		return 0, storeError("find the end of the log", err)
	}
	size, err := auditTree.size(last)
	if err == nil && (lowest != 0 || highest != size-1) {
		err = auditTree.damaged("its rows and its hashes differ in number")
	}
	return size, err
}

// AuditHashes returns stored hashes by their number, in the order of idx. All
// must be there.
func (s reads) AuditHashes(ctx context.Context, idx []int64) ([]tlog.Hash, error) {
	return s.treeHashes(ctx, auditTree, idx)
}

const entryColumns = `id, at, actor, action, app, object, detail, org, before, after, request_id, leaf, kept`

func scanEntry(r scanner) (e ota.AuditEntry, err error) {
	return e, r.Scan(&e.ID, &e.At, &e.Actor, &e.Action, &e.App, &e.Object, &e.Detail, &e.Org, &e.Before, &e.After, &e.RequestID, &e.Leaf, &e.Kept)
}

// AuditEntries returns up to limit entries from a leaf on, in the order of the
// log, without their hashes.
func (s reads) AuditEntries(ctx context.Context, from int64, limit int) ([]ota.AuditEntry, error) {
	return selectAll(ctx, s.q, scanEntry, `SELECT `+entryColumns+` FROM changes WHERE leaf >= $1 ORDER BY leaf LIMIT $2`, from, limit)
}

// AuditEntry returns an entry by the id of its change, without its hash.
func (s reads) AuditEntry(ctx context.Context, id int64) (ota.AuditEntry, error) {
	return selectOne(ctx, s.q, ota.NotFound("entry_not_found", "the audit log has no entry %d", id), scanEntry,
		`SELECT `+entryColumns+` FROM changes WHERE id = $1`, id)
}

// AuditSearch lists the entries that a filter selects, newest first, without
// their hashes. Entries past retention are in it only if nothing that they lost
// is asked for.
func (s reads) AuditSearch(ctx context.Context, f ota.AuditFilter, p ota.Page) ([]ota.AuditEntry, string, error) {
	before, err := pageBefore(p)
	if err != nil {
		return nil, "", err
	}
	limit := pageLimit(p)
	where, args := []string{"id < $1"}, []any{before}
	add := func(cond string, v any) {
		args = append(args, v)
		where = append(where, fmt.Sprintf(cond, len(args)))
	}
	for _, c := range []struct{ column, value string }{{"actor", f.Actor}, {"app", f.App}, {"object", f.Object}} {
		if c.value != "" {
			add(c.column+" = $%d", c.value)
		}
	}
	if f.Org == ota.MainOrg {
		where = append(where, "org IN ('', '"+ota.MainOrg+"')") // "" = the main one
	} else if f.Org != "" {
		add("org = $%d", f.Org)
	}
	if noun, ok := strings.CutSuffix(f.Action, "."); ok {
		add("action >= $%d", noun+".")
		add("action < $%d", noun+"/") // the character after the dot
	} else if f.Action != "" {
		add("action = $%d", f.Action)
	}
	if f.Since != 0 {
		add("at >= $%d", f.Since)
	}
	if f.Until != 0 {
		add("at < $%d", f.Until)
	}
	args = append(args, limit+1)
	items, err := selectAll(ctx, s.q, scanEntry, `SELECT `+entryColumns+` FROM changes WHERE `+strings.Join(where, " AND ")+
		fmt.Sprintf(` ORDER BY id DESC LIMIT $%d`, len(args)), args...)
	if err != nil {
		return nil, "", err
	}
	items, next := pageNext(items, limit, func(e ota.AuditEntry) int64 { return e.ID })
	return items, next, nil
}

// AuditSpan returns the leaves from the first entry at since or later to behind
// the last one before until (0 = no bound). Clocks may have been set back in
// between: the span then holds entries of other times too.
func (s reads) AuditSpan(ctx context.Context, since, until int64) (from, to int64, err error) {
	size, err := s.treeSize(ctx, auditTree)
	if err != nil {
		return 0, 0, err
	}
	from, to = 0, size
	if since != 0 {
		from, err = selectOne(ctx, s.q, nil, scanInt, `SELECT COALESCE(MIN(leaf), $1) FROM changes WHERE at >= $2`, size, since)
		if err != nil {
			return 0, 0, err
		}
	}
	if until != 0 {
		to, err = selectOne(ctx, s.q, nil, scanInt, `SELECT COALESCE(MAX(leaf), -1) + 1 FROM changes WHERE at < $1`, until)
	}
	from = max(min(from, size), 0)
	return from, max(min(to, size), from), err
}
