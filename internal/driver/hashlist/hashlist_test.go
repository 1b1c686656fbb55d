package hashlist

import (
	"crypto/sha1"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestHas(t *testing.T) {
	for _, n := range []int{1, 2, 3, 10, 1000} {
		for _, end := range []string{"", "\n", "\r\n"} {
			var lines []string
			for i := range n {
				lines = append(lines, fmt.Sprintf("%X:%d", sha1.Sum(fmt.Append(nil, "in", i)), i*i*i))
			}
			slices.Sort(lines)
			sep := "\n"
			if end == "\r\n" {
				sep = end
			}
			path := filepath.Join(t.TempDir(), "list")
			if err := os.WriteFile(path, []byte(strings.Join(lines, sep)+end), 0o600); err != nil {
				t.Fatal(err)
			}
			l, err := Open(path)
			if err != nil {
				t.Fatal(err)
			}
			for i := range n {
				if has, err := l.Has(sha1.Sum(fmt.Append(nil, "in", i))); !has || err != nil {
					t.Errorf("%d lines, end %q: line %d: %v, %v", n, end, i, has, err)
				}
				if has, err := l.Has(sha1.Sum(fmt.Append(nil, "out", i))); has || err != nil {
					t.Errorf("%d lines, end %q: a stranger %d: %v, %v", n, end, i, has, err)
				}
			}
			for _, edge := range [][20]byte{{}, {0: 0xff, 19: 0xff}} {
				if has, err := l.Has(edge); has || err != nil {
					t.Errorf("%d lines: %x: %v, %v", n, edge, has, err)
				}
			}
			l.Close()
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	for name, content := range map[string]string{"empty": "", "words": "password\nletmein\n", "short": "ABCDEF\n"} {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if l, err := Open(path); err == nil {
			l.Close()
			t.Errorf("%s is taken for a list", name)
		}
	}
	if _, err := Open(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a file that is not there is taken")
	}
}
