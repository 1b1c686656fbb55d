package supply_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/provenance"
	"github.com/waxwing-ota/waxwing/internal/supply"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestProject(t *testing.T) {
	root := t.TempDir()
	app := filepath.Join(root, "apps", "shop")
	dist := filepath.Join(app, "dist", "browser")
	write(t, filepath.Join(root, ".git", "HEAD"), "")
	write(t, filepath.Join(dist, "index.html"), "")
	if dir, ok := supply.Find(dist); ok {
		t.Fatalf("found %s", dir)
	}
	write(t, filepath.Join(app, "package.json"), `{"name":"shop"}`)
	write(t, filepath.Join(app, "node_modules", "lodash", "package.json"), `{"name":"lodash","version":"4.17.21","license":"MIT"}`)
	dir, ok := supply.Find(dist)
	if !ok || filepath.Base(dir) != "shop" {
		t.Fatal(dir)
	}
	p, err := supply.ReadProject(dir)
	if err != nil || p.Source != "node_modules" || len(p.Packages) != 1 || len(p.Inputs) != 1 {
		t.Errorf("%+v %v", p, err)
	}
	// The lock file of the workspace.
	write(t, filepath.Join(root, "yarn.lock"), "# yarn lockfile v1\n\nlodash@^4:\n  version \"4.17.21\"\n\nleft-pad@^1:\n  version \"1.3.0\"\n")
	p, err = supply.ReadProject(dir)
	if err != nil || p.Source != "yarn.lock" || len(p.Packages) != 2 || p.Packages[1].License != "MIT" || len(p.Inputs) != 2 {
		t.Errorf("%+v %v", p, err)
	}
	write(t, filepath.Join(root, "yarn.lock"), "nonsense")
	if _, err := supply.ReadProject(dir); ota.CodeOf(err) != "lock_file_invalid" {
		t.Error(err)
	}
	// Above the root of the repository nothing is ours.
	write(t, filepath.Join(app, ".git", "HEAD"), "")
	if p, err = supply.ReadProject(dir); err != nil || p.Source != "node_modules" {
		t.Errorf("%+v %v", p, err)
	}
}

func TestCleanRepository(t *testing.T) {
	for in, want := range map[string]string{
		"":                                      "",
		"https://github.com/a/b.git":            "https://github.com/a/b.git",
		"https://user:token@github.com/a/b":     "https://github.com/a/b",
		"https://token@github.com/a/b?x=1#y":    "https://github.com/a/b",
		"git@github.com:a/b.git":                "ssh://github.com/a/b.git",
		"ssh://git:pw@git.example.com:22/a/b":   "ssh://git.example.com:22/a/b",
		"file:///home/me/secret":                "",
		"/home/me/secret":                       "",
		"../other":                              "",
		`C:\work\shop`:                          "",
		"c:work":                                "",
		"https://github.com":                    "",
		"ext::sh -c touch% /tmp/x":              "",
		"https://github.com/a\nb":               "",
		"https://x/" + strings.Repeat("a", 300): "",
	} {
		if got := supply.CleanRepository(in); got != want {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
}

func TestOriginOfCI(t *testing.T) {
	sha := strings.Repeat("ab", 20)
	env := func(m map[string]string) func(string) string { return func(k string) string { return m[k] } }
	for _, c := range []struct {
		name string
		env  map[string]string
		want provenance.Origin
	}{
		{"nowhere", nil, provenance.Origin{}},
		{"github", map[string]string{
			"GITHUB_ACTIONS": "true", "GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "a/b", "GITHUB_RUN_ID": "7",
			"GITHUB_RUN_ATTEMPT": "2", "GITHUB_SHA": sha, "GITHUB_REF": "refs/heads/main",
		}, provenance.Origin{CI: "github-actions", Repository: "https://github.com/a/b", Run: "https://github.com/a/b/actions/runs/7/attempts/2", Commit: sha, Ref: "refs/heads/main"}},
		{"gitlab", map[string]string{
			"GITLAB_CI": "true", "CI_PROJECT_URL": "https://gitlab.com/a/b", "CI_JOB_URL": "https://gitlab.com/a/b/-/jobs/1", "CI_COMMIT_SHA": sha, "CI_COMMIT_REF_NAME": "main",
		}, provenance.Origin{CI: "gitlab-ci", Repository: "https://gitlab.com/a/b", Run: "https://gitlab.com/a/b/-/jobs/1", Commit: sha, Ref: "main"}},
		{"odd commit", map[string]string{"GITLAB_CI": "true", "CI_COMMIT_SHA": "HEAD; rm"}, provenance.Origin{CI: "gitlab-ci"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if d := cmp.Diff(c.want, supply.FindOrigin(t.Context(), t.TempDir(), env(c.env))); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestOriginOfGit asks a real repository, whose configuration names a program
// that must not be run.
func TestOriginOfGit(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	dir := t.TempDir()
	t.Setenv("GIT_CONFIG_GLOBAL", os.DevNull)
	t.Setenv("GIT_CONFIG_SYSTEM", os.DevNull)
	git := func(args ...string) string {
		t.Helper()
		out, err := exec.CommandContext(t.Context(), "git", append([]string{"-C", dir, "-c", "user.name=x", "-c", "user.email=x@example.com"}, args...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return strings.TrimSpace(string(out))
	}
	git("init", "-q", "-b", "trunk")
	write(t, filepath.Join(dir, "package.json"), "{}")
	git("add", ".")
	git("commit", "-q", "-m", "one")
	git("remote", "add", "origin", "https://me:secret@git.example.com/shop.git")
	ran := filepath.Join(dir, ".git", "ran")
	git("config", "core.fsmonitor", "touch "+ran)
	none := func(string) string { return "" }
	got := supply.FindOrigin(t.Context(), dir, none)
	want := provenance.Origin{Repository: "https://git.example.com/shop.git", Commit: git("rev-parse", "HEAD"), Ref: "refs/heads/trunk"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if _, err := os.Stat(ran); err == nil {
		t.Error("a program that the repository names was run")
	}
	write(t, filepath.Join(dir, "package.json"), `{"changed": true}`)
	if got := supply.FindOrigin(t.Context(), dir, none); !got.Dirty {
		t.Errorf("%+v is not dirty", got)
	}
}

// TestOSVFile reads an export again when it was replaced, and refuses a wrong
// one at once.
func TestOSVFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "osv.json")
	entry := func(id string) string {
		return `{"id": "` + id + `", "affected": [{"package": {"ecosystem": "npm", "name": "a"}, "versions": ["1.0.0"]}]}`
	}
	if _, err := supply.NewOSVFile(path); ota.CodeOf(err) != "file_missing" {
		t.Error(err)
	}
	write(t, path, "{}")
	if _, err := supply.NewOSVFile(path); ota.CodeOf(err) != "osv_invalid" {
		t.Error(err)
	}
	write(t, path, entry("ONE"))
	f, err := supply.NewOSVFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"ONE", "ANOTHER"} {
		write(t, path, entry(want))
		list, err := f.Advisories()
		if err != nil || len(list) != 1 || list[0].ID != want {
			t.Errorf("%+v %v", list, err)
		}
	}
}
