// Package hashlist looks up SHA-1 hashes in a text file that is sorted by hash,
// one a line as 40 hexadecimal digits with anything behind them: the form in
// which lists of leaked passwords are handed out ("HASH:COUNT").
//
// It must never read more than a few blocks per look-up, however large the file
// is, or send a hash anywhere.
package hashlist

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

const (
	digits  = 40
	maxLine = 256 // bytes; a list has hash, count and line end
)

// List is an open file. It may be used by many goroutines.
type List struct {
	f    *os.File
	size int64
}

// Open opens the file and checks that it looks like a list.
func Open(path string) (*List, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, ota.Invalid("breached_list_unreadable", "cannot read the list of leaked passwords %s", path).WithCause(err)
	}
	info, err := f.Stat()
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("list of leaked passwords: %w", err)
	}
	l := &List{f, info.Size()}
	first, _, err := l.lineAt(0)
	if err == nil && len(first) < digits {
		err = errors.New("the first line is no hash")
	}
	if err == nil {
		_, err = hex.DecodeString(string(first[:digits]))
	}
	if err != nil {
		_ = f.Close()
		return nil, ota.Invalid("breached_list_invalid", "%s is no list of SHA-1 hashes", path).WithCause(err).
			WithHint("it needs one hash of 40 hexadecimal digits a line, sorted")
	}
	return l, nil
}

// Close closes the file.
func (l *List) Close() error { return l.f.Close() }

// Has reports whether the hash is in the list.
func (l *List) Has(sha1 [20]byte) (bool, error) {
	want := []byte(hex.EncodeToString(sha1[:]))
	// The line that holds the hash starts in [low, high).
	low, high := int64(0), l.size
	for low < high {
		mid := low + (high-low)/2
		line, next, err := l.lineAt(mid)
		if err != nil {
			return false, err
		}
		if line == nil { // only the rest of a line is behind mid
			high = mid
			continue
		}
		if len(line) < digits {
			return false, fmt.Errorf("list of leaked passwords: a line near byte %d is no hash", mid)
		}
		switch c := bytes.Compare(bytes.ToLower(line[:digits]), want); {
		case c == 0:
			return true, nil
		case c < 0:
			low = next
		default:
			high = mid
		}
	}
	return false, nil
}

// lineAt returns the first line that starts at or behind an offset, and where
// the one behind it starts; nil if there is none.
func (l *List) lineAt(at int64) (line []byte, next int64, err error) {
	start := at
	if at > 0 {
		start = at - 1 // a line starts at at if the byte before ends one
	}
	buf := make([]byte, 2*maxLine)
	n, err := l.f.ReadAt(buf, start)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, 0, fmt.Errorf("list of leaked passwords: %w", err)
	}
	buf = buf[:n]
	if at > 0 {
		end := bytes.IndexByte(buf, '\n')
		if end < 0 {
			if n == 2*maxLine {
				return nil, 0, errors.New("list of leaked passwords: a line is too long")
			}
			return nil, 0, nil
		}
		start, buf = start+int64(end)+1, buf[end+1:]
	}
	if len(buf) == 0 {
		return nil, 0, nil
	}
	end := bytes.IndexByte(buf, '\n')
	if end < 0 {
		end = len(buf)
	}
	return buf[:end], start + int64(end) + 1, nil
}
