package wycheproof

import (
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"testing"

	vectors "github.com/c2sp/wycheproof"
)

// bin is bytes that are written in hex.
type bin []byte

func (b *bin) UnmarshalText(text []byte) error {
	out, err := hex.DecodeString(string(text))
	*b = out
	return err
}

// load reads a file of vectors; the number of its tests is as it says itself.
func load[Group any](t *testing.T, name string, tests func(Group) int) []Group {
	t.Helper()
	b, err := fs.ReadFile(vectors.TestVectors, name)
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		NumberOfTests int     `json:"numberOfTests"`
		TestGroups    []Group `json:"testGroups"`
	}
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, g := range file.TestGroups {
		n += tests(g)
	}
	if n == 0 || n != file.NumberOfTests {
		t.Fatalf("%s has %d tests, %d were read", name, file.NumberOfTests, n)
	}
	t.Logf("%s: %d vectors", name, n)
	return file.TestGroups
}
