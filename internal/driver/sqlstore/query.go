package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// querier is what reading needs: a pool or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// reads has every query; DB runs them on the reader pool, a transaction on itself.
type reads struct{ q querier }

// scanner is a row that can be read once.
type scanner interface{ Scan(dest ...any) error }

// maxPage bounds what one list answer holds.
const maxPage = 500

// pageLimit returns how many items p asks for: 50 by default, at most 500.
func pageLimit(p ota.Page) int {
	if p.Limit <= 0 {
		return 50
	}
	return min(p.Limit, maxPage)
}

// pageBefore returns the key below which a page that runs downwards starts.
func pageBefore(p ota.Page) (int64, error) {
	if p.After == "" {
		return math.MaxInt64, nil
	}
	n, err := strconv.ParseInt(p.After, 36, 64)
	if err != nil || n <= 0 {
		return 0, badCursor(p.After)
	}
	return n, nil
}

func badCursor(after string) *ota.Error {
	return ota.Invalid("cursor_invalid", "the page cursor %q is not one this server gave", after).
		WithHint("leave it out to start over").WithField("after")
}

// pageNext cuts items, read with one more than the page holds, to the page and
// returns the cursor of the next one, "" at the end.
func pageNext[T any](items []T, limit int, key func(T) int64) ([]T, string) {
	if len(items) <= limit {
		return items, ""
	}
	return items[:limit], strconv.FormatInt(key(items[limit-1]), 36)
}

// selectAll runs a query and scans every row. The result is never nil, so that
// it encodes as an empty list.
func selectAll[T any](ctx context.Context, q querier, scan func(scanner) (T, error), query string, args ...any) ([]T, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, storeError("query", err)
	}
	defer rows.Close()
	out := []T{}
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, storeError("scan", err)
		}
		out = append(out, v)
	}
	if err := rows.Err(); err != nil {
		return nil, storeError("read", err)
	}
	return out, nil
}

// selectOne runs a query for at most one row; notFound is returned when there is none.
func selectOne[T any](ctx context.Context, q querier, notFound error, scan func(scanner) (T, error), query string, args ...any) (T, error) {
	v, err := scan(q.QueryRowContext(ctx, query, args...))
	if errors.Is(err, sql.ErrNoRows) {
		return v, notFound
	}
	if err != nil {
		return v, storeError("query", err)
	}
	return v, nil
}

// placeholders returns "$from,$from+1,..." for n values.
func placeholders(from, n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(from + i))
	}
	return b.String()
}

// storeError gives a failure of the engine a kind: a full disk and a busy
// database can be tried again, the rest is internal.
func storeError(doing string, err error) error {
	if e, ok := errors.AsType[*ota.Error](err); ok {
		return e
	}
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		switch e.Code() & 0xff {
		case sqlite3.SQLITE_FULL:
			return ota.Errorf(ota.KindUnavailable, "disk_full", "the server's disk is full").
				WithHint("free some space on the server; nothing was changed").WithCause(err)
		case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
			return ota.Errorf(ota.KindUnavailable, "database_busy", "the database is busy").
				WithHint("try again in a moment; nothing was changed").WithCause(err)
		case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN:
			return ota.Errorf(ota.KindUnavailable, "database_unwritable", "the database cannot be read or written").
				WithHint("check the server's disk and the rights on its data folder").WithCause(err)
		}
	}
	return fmt.Errorf("database: %s: %w", doing, err)
}
