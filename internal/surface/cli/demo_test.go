package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/demo"
)

// runCommand runs one command by itself and returns what it wrote to standard output.
func runCommand(t *testing.T, asJSON bool, build func(*Globals) *cobra.Command, args ...string) ([]byte, error) {
	t.Helper()
	var out, errs bytes.Buffer
	g := newGlobals(Streams{In: strings.NewReader(""), Out: &out, Err: &errs}, nil)
	g.JSON = asJSON
	c := build(g)
	c.SilenceErrors, c.SilenceUsage = true, true
	c.SetArgs(args)
	err := c.ExecuteContext(t.Context())
	if asJSON && err == nil {
		if jerr := oneDocument(out.Bytes()); jerr != nil {
			t.Error(jerr)
		}
	}
	t.Logf("%v\n%s%s", args, out.Bytes(), errs.Bytes())
	return out.Bytes(), err
}

func TestDemoOnce(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	out, err := runCommand(t, true, newDemoCommand, "--once")
	if err != nil {
		t.Fatal(err)
	}
	var r demoResult
	if err := json.Unmarshal(out, &r); err != nil || !r.Held || r.Token != "" || len(r.Steps) == 0 {
		t.Errorf("result %+v, %v", r, err)
	}
	if left, _ := os.ReadDir(os.Getenv("TMPDIR")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestDemoKeepsTheFolderItWasGiven(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "kept")
	out, err := runCommand(t, false, newDemoCommand, "--once", "--data", dir)
	if err != nil || !strings.Contains(string(out), "ok ") || !strings.Contains(string(out), "PHONE") {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, name := range []string{"server", "demo-key.pem.pub", "builds/1.0.0/index.html", "devices/01/state.json"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	// A second demo would mix with what is there.
	if _, err := runCommand(t, false, newDemoCommand, "--once", "--data", dir); ota.CodeOf(err) != "demo_folder_used" {
		t.Errorf("err = %v", err)
	}
}

func TestDemoWithoutAnAddress(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	_, err = runCommand(t, true, newDemoCommand, "--once", "--listen", l.Addr().String())
	if _, ok := errors.AsType[*ota.Error](err); !ok {
		t.Errorf("err = %v", err)
	}
}

func TestQuoted(t *testing.T) {
	for in, want := range map[string]string{"/a/b": "/a/b", "/a b": "'/a b'", "/it's": `'/it'\''s'`} {
		if got := quoted(in); got != want {
			t.Errorf("quoted(%q) = %s, want %s", in, got, want)
		}
	}
}

// What the demo tells people to type must be right.
func TestDemoSuggestsRealCommands(t *testing.T) {
	r := demoResult{Data: "/d", Report: demo.Report{App: demo.App, KeyFile: "/k", Builds: "/b"}}
	for _, args := range tryCommands(r) {
		c, rest, err := NewRoot(Streams{}, nil).Find(args)
		if err == nil {
			err = errors.Join(c.ParseFlags(rest), c.ValidateRequiredFlags(), c.ValidateArgs(c.Flags().Args()))
		}
		if err != nil || c.HasSubCommands() {
			t.Errorf("waxwing %s: %v", strings.Join(args, " "), err)
		}
	}
}
