package pack

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// tool returns the command's path, or skips the test, or fails it if the
// environment says that the tool must be there.
func tool(t *testing.T, name string) string {
	t.Helper()
	p, err := exec.LookPath(name)
	if err == nil {
		return p
	}
	if strings.Contains(os.Getenv("WAXWING_TEST_REQUIRE"), name) {
		t.Fatalf("%s is required and not here", name)
	}
	t.Skipf("LOUD: no %s here, so our archives were not read by it", name)
	return ""
}

func run(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
	return string(out)
}

// zipOnDisk writes the archive of largeApp and returns its folder and, per
// entry in order, what the readers below print.
func zipOnDisk(t *testing.T) (dir, want string) {
	t.Helper()
	m := largeApp()
	s := mustScan(t, m, Limits{})
	dir = t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "app.zip"), mustZip(t, m, s.Files, holdLittle), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, f := range s.Files {
		want += fmt.Sprintf("%x %s\n", sha256.Sum256(m[f.Path].Data), f.Path)
	}
	return dir, want
}

// Android reads archives as a stream, with this very class.
const streamReader = `
import java.io.*;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.zip.*;

public class Read {
	public static void main(String[] a) throws Exception {
		PrintStream out = new PrintStream(System.out, true, "UTF-8");
		try (ZipInputStream z = new ZipInputStream(new FileInputStream(a[0]), StandardCharsets.UTF_8)) {
			for (ZipEntry e; (e = z.getNextEntry()) != null;) {
				MessageDigest d = MessageDigest.getInstance("SHA-256");
				byte[] b = new byte[1 << 16];
				for (int n; (n = z.read(b)) > 0;) d.update(b, 0, n);
				StringBuilder s = new StringBuilder();
				for (byte x : d.digest()) s.append(String.format("%02x", x));
				out.println(s + " " + e.getName());
			}
		}
	}
}
`

func TestJavaReadsOurZips(t *testing.T) {
	java := tool(t, "java")
	dir, want := zipOnDisk(t)
	if err := os.WriteFile(filepath.Join(dir, "Read.java"), []byte(streamReader), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), java, "--list-modules").Output(); err != nil || !strings.Contains(string(out), "jdk.compiler") {
		t.Skip("LOUD: this java has no compiler, so our archives were not read by it")
	}
	if d := cmp.Diff(want, run(t, dir, java, "Read.java", "app.zip")); d != "" {
		t.Errorf("java reads (-want +got):\n%s", d)
	}
}

func TestUnzipReadsOurZips(t *testing.T) {
	unzip := tool(t, "unzip")
	dir, _ := zipOnDisk(t)
	if out := run(t, dir, unzip, "-tqq", "app.zip"); out != "" {
		t.Errorf("unzip says %s", out)
	}
}

func TestNodeDecodesOurBrotli(t *testing.T) {
	node := tool(t, "node")
	dir := t.TempDir()
	m := largeApp()
	want := ""
	for _, f := range mustScan(t, m, Limits{}).Files {
		stored, isBrotli := Encode(f.Path, m[f.Path].Data, true)
		if !isBrotli {
			t.Fatalf("%s is not brotli", f.Path)
		}
		if string(stored) == emptyForm {
			continue // only the plugins read it
		}
		name := fmt.Sprintf("%x", sha256.Sum256([]byte(f.Path)))
		if err := os.WriteFile(filepath.Join(dir, name), stored, 0o600); err != nil {
			t.Fatal(err)
		}
		want += fmt.Sprintf("%x %s\n", sha256.Sum256(m[f.Path].Data), name)
	}
	script := `
const fs = require('fs'), zlib = require('zlib'), crypto = require('crypto');
for (const line of fs.readFileSync(0, 'utf8').trim().split('\n')) {
	const name = line.split(' ')[1];
	console.log(crypto.createHash('sha256').update(zlib.brotliDecompressSync(fs.readFileSync(name))).digest('hex') + ' ' + name);
}`
	cmd := exec.CommandContext(t.Context(), node, "-e", script)
	cmd.Dir, cmd.Stdin = dir, strings.NewReader(want)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if d := cmp.Diff(want, string(out)); d != "" {
		t.Errorf("node decodes (-want +got):\n%s", d)
	}
}
