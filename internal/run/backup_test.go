package run_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/run"
	"github.com/waxwing-ota/waxwing/internal/run/config"
	"github.com/waxwing-ota/waxwing/internal/testkit/live"
)

// publicURL is what devices are told, so that two servers' answers can be compared.
const publicURL = "http://updates.test"

func withURL(c *config.Config) { c.PublicURL = publicURL }

func storyIn(t *testing.T, data string) *story {
	srv := live.Start(t, data, withURL)
	return &story{t: t, Server: srv, c: srv.Client}
}

// answers are what devices get for a row of checks, without the signatures and
// expiry of addresses, which depend on the time.
func (s *story) answers() string {
	s.t.Helper()
	var all bytes.Buffer
	for n := range 20 {
		body := fmt.Sprintf(`{"app_id":%q,"device_id":"0a000000-0000-4000-8000-%012d","platform":"android","version_name":"1.%d.0","version_build":"1.0.0",
			"version_code":"1","version_os":"15","plugin_version":"8.51.23","is_emulator":false,"is_prod":true}`, app, n, n%3)
		res, err := http.Post(s.URL+"/updates", "application/json", strings.NewReader(body))
		s.ok(err)
		b, err := io.ReadAll(res.Body)
		s.ok(err)
		res.Body.Close()
		if at := bytes.IndexByte(b, '?'); at >= 0 { // the rest of the address
			end := bytes.IndexByte(b[at:], '"')
			b = append(b[:at:at], b[at+end:]...)
		}
		fmt.Fprintf(&all, "%d %s\n", res.StatusCode, b)
	}
	return all.String()
}

func TestBackupAndRestore(t *testing.T) {
	data, to, back := t.TempDir(), filepath.Join(t.TempDir(), "backup"), filepath.Join(t.TempDir(), "restored")
	s := storyIn(t, data)
	must(s, func() (ota.App, error) { return s.c.CreateApp(t.Context(), ota.NewApp{ID: app, Name: "Story"}) })
	s.publish("1.1.0")
	s.publish("1.2.0")
	s.release("production", "1.1.0")
	s.release("production", "1.2.0")
	s.report("update_fail", "1.2.0")
	want := s.answers()

	first, err := run.MakeBackup(t.Context(), data, to)
	s.ok(err)
	if first.Copied == 0 || first.Blobs != first.Copied || first.Entries == 0 || first.Root == "" {
		t.Errorf("backup %+v", first)
	}
	s.publish("1.3.0")
	second, err := run.MakeBackup(t.Context(), data, to)
	s.ok(err)
	if second.Copied == 0 || second.Copied >= first.Copied || second.Entries <= first.Entries {
		t.Errorf("second backup %+v after %+v", second, first)
	}
	if _, err := run.Restore(t.Context(), to, data); ota.CodeOf(err) != "data_not_empty" {
		t.Errorf("restore over a server's data: %v", err)
	}
	restored, err := run.Restore(t.Context(), to, back)
	s.ok(err)
	if restored.Root != second.Root || restored.Blobs != second.Blobs {
		t.Errorf("restored %+v from %+v", restored, second)
	}
	again := storyIn(t, back)
	if got := again.answers(); got != want {
		t.Errorf("the restored server answers\n%s\nwant\n%s", got, want)
	}
	again.release("production", "1.3.0") // it lives
}

// A backup made while versions are published and events come in is whole, each time.
func TestBackupUnderWrites(t *testing.T) {
	data, to := t.TempDir(), filepath.Join(t.TempDir(), "backup")
	s := storyIn(t, data)
	must(s, func() (ota.App, error) { return s.c.CreateApp(t.Context(), ota.NewApp{ID: app, Name: "Story"}) })
	var writers sync.WaitGroup
	stop := make(chan struct{})
	writers.Go(func() {
		for n := 1; ; n++ {
			select {
			case <-stop:
				return
			default:
			}
			s.publish(fmt.Sprintf("2.%d.0", n))
			s.release("production", fmt.Sprintf("2.%d.0", n))
			s.report("set", fmt.Sprintf("2.%d.0", n))
		}
	})
	for range 5 {
		if _, err := run.MakeBackup(t.Context(), data, to); err != nil {
			t.Errorf("%v (%s)", err, ota.CodeOf(err))
		}
	}
	close(stop)
	writers.Wait()
	if c, err := run.Check(t.Context(), to); err != nil || !c.OK {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestCheckFindsWhatIsWrong(t *testing.T) {
	data, whole := t.TempDir(), filepath.Join(t.TempDir(), "backup")
	s := storyIn(t, data)
	must(s, func() (ota.App, error) { return s.c.CreateApp(t.Context(), ota.NewApp{ID: app, Name: "Story"}) })
	s.publish("1.1.0")
	_, err := run.MakeBackup(t.Context(), data, whole)
	s.ok(err)
	shared := ota.Sum(web("x")["same.css"]).String()
	file := func(dir string) string { return filepath.Join(dir, "blobs", shared[:2], shared) }

	for _, c := range []struct {
		name, code string
		spoil      func(dir string) error
	}{
		{"file gone", "blob_missing", func(dir string) error { return os.Remove(file(dir)) }},
		{"file changed", "blob_damaged", func(dir string) error { return os.WriteFile(file(dir), []byte("body { margin: 1 }"), 0o600) }},
		{"file cut", "blob_damaged", func(dir string) error { return os.Truncate(file(dir), 3) }},
		{"entry of the log changed", "entry_altered", func(dir string) error {
			return replaceIn(filepath.Join(dir, "waxwing.db"), "bundle.create", "bundle.cREATE")
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "copy")
			if err := os.CopyFS(dir, os.DirFS(whole)); err != nil {
				t.Fatal(err)
			}
			if err := c.spoil(dir); err != nil {
				t.Fatal(err)
			}
			got, err := run.Check(t.Context(), dir)
			if err != nil || got.OK || len(got.Faults) == 0 || got.Faults[len(got.Faults)-1].Code != c.code {
				t.Fatalf("%+v, %v; want %s", got, err, c.code)
			}
			if f := got.Faults[0]; strings.HasPrefix(c.code, "blob") && (len(f.Needed) != 1 || f.Needed[0] != app+" 1.1.0" || f.Blob != shared) {
				t.Errorf("fault %+v", f)
			}
			to := filepath.Join(t.TempDir(), "restored")
			if _, err := run.Restore(t.Context(), dir, to); err == nil {
				t.Error("it was restored")
			}
			if _, err := os.Stat(filepath.Join(to, "waxwing.db")); err == nil {
				t.Error("a server could start on what was restored")
			}
		})
	}
}

func replaceIn(path, old, now string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if !bytes.Contains(b, []byte(old)) {
		return fmt.Errorf("%s does not contain %s", path, old)
	}
	return os.WriteFile(path, bytes.ReplaceAll(b, []byte(old), []byte(now)), 0o600)
}

func TestBackupRefuses(t *testing.T) {
	data := t.TempDir()
	storyIn(t, data)
	used := t.TempDir()
	if err := os.WriteFile(filepath.Join(used, "letter.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	other := t.TempDir()
	storyIn(t, other)
	half := filepath.Join(t.TempDir(), "half") // a backup that somebody copied without its files
	if _, err := run.MakeBackup(t.Context(), other, half); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(half, "blobs")); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ from, to, code string }{
		{data, filepath.Join(data, "backup"), "backup_inside"},
		{data, data, "backup_inside"},
		{data, filepath.Dir(data), "backup_inside"},
		{data, used, "backup_folder_used"},
		{data, other, "backup_into_data"},
		{t.TempDir(), filepath.Join(t.TempDir(), "x"), "database_missing"},
		{half, filepath.Join(t.TempDir(), "x"), "blobs_missing"},
	} {
		if _, err := run.MakeBackup(t.Context(), c.from, c.to); ota.CodeOf(err) != c.code {
			t.Errorf("from %s to %s: %v (%s), want %s", c.from, c.to, err, ota.CodeOf(err), c.code)
		}
	}
}
