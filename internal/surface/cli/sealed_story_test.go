package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// cmdUntil is "until CODE PATH VALUE program args…": the program runs until it ends
// with the exit code and its one JSON document has the value there. The log signs
// what was approved within a second, and there is no other sign of it.
func cmdUntil(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 4 {
		ts.Fatalf("usage: until CODE PATH VALUE program args...")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for {
		c := exec.CommandContext(ctx, findProgram(ts, args[3]), args[4:]...)
		c.Dir = ts.MkAbs(".")
		for _, name := range []string{"PATH", "HOME", "TMPDIR", "WAXWING_URL", "WAXWING_TOKEN"} {
			c.Env = append(c.Env, name+"="+ts.Getenv(name))
		}
		var out, errs bytes.Buffer
		c.Stdout, c.Stderr = &out, &errs
		_ = c.Run() // its exit code says it
		if fmt.Sprint(c.ProcessState.ExitCode()) == args[0] && holds(out.Bytes(), args[1], args[2]) {
			_, _ = ts.Stdout().Write(out.Bytes())
			_, _ = ts.Stderr().Write(errs.Bytes())
			return
		}
		if ctx.Err() != nil {
			ts.Fatalf("it never came to %s %s = %s:\n%s%s", args[0], args[1], args[2], out.Bytes(), errs.Bytes())
		}
	}
}

// holds reports whether a document has the value at a dotted path.
func holds(doc []byte, path, value string) bool {
	var v any
	if json.Unmarshal(doc, &v) != nil {
		return false
	}
	v, ok := at(v, path)
	return ok && fmt.Sprint(v) == value
}
