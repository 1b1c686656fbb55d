package gitleaks

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"
	"github.com/zricethezav/gitleaks/v8/detect"
)

const root = "../.."

var binary string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "waxwing-gitleaks-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "waxwing")
	cmd := exec.Command("go", "build", "-pgo=off", "-o", binary, "./cmd/waxwing")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "gitleaks: build: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// hit is a secret by its place.
type hit struct {
	path string
	line int
}

// theirs scans files as gitleaks would, by rule.
func theirs(t *testing.T, files map[string]string) map[hit][]string {
	t.Helper()
	d, err := detect.NewDetectorDefaultConfig()
	if err != nil {
		t.Fatal(err)
	}
	found := map[hit][]string{}
	for path, text := range files {
		for _, f := range d.Detect(detect.Fragment{Raw: text, FilePath: path}) {
			// Their lines begin at 0 in a fragment, and a match may begin
			// with the end of the line before.
			at := strings.Index(f.Match, f.Secret)
			line := f.StartLine + 1 + strings.Count(f.Match[:max(at, 0)], "\n")
			found[hit{path, line}] = append(found[hit{path, line}], f.RuleID)
		}
	}
	return found
}

var format = regexp.MustCompile(`\(([a-z0-9-]+)\)$`)

// mine scans a folder with the command, by format.
func mine(t *testing.T, dir string) map[hit][]string {
	t.Helper()
	out, err := exec.Command(binary, "scan", dir, "--format", "json", "--fail-on", "none").Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		t.Fatalf("%v: %s", err, exit.Stderr)
	} else if err != nil {
		t.Fatal(err)
	}
	var rep struct {
		Findings []struct {
			Rule, Path, Message string
			Line                int
		}
	}
	if err := json.Unmarshal(out, &rep); err != nil {
		t.Fatal(err)
	}
	found := map[hit][]string{}
	for _, f := range rep.Findings {
		if m := format.FindStringSubmatch(f.Message); f.Rule == "ST-016" && m != nil {
			at := hit{f.Path, f.Line}
			found[at] = append(found[at], m[1])
		}
	}
	return found
}

func save(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// formats reads our formats from the file that the product is built with.
func formats(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "internal/core/scan/rules/secrets.toml"))
	if err != nil {
		t.Fatal(err)
	}
	var set struct {
		Rules []struct {
			ID string `toml:"id"`
		} `toml:"rules"`
	}
	if err := toml.Unmarshal(text, &set); err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, r := range set.Rules {
		list = append(list, r.ID)
	}
	return list
}

func TestEveryFormatIsClaimed(t *testing.T) {
	listed := slices.Concat(slices.Collect(maps.Keys(claims)), ours)
	slices.Sort(listed)
	have := formats(t)
	slices.Sort(have)
	if !slices.Equal(listed, have) {
		t.Errorf("formats %v\nclaims  %v", have, listed)
	}
}

// claimed returns our format of one of their rules.
func claimed(rule string) string {
	for f, rules := range claims {
		if slices.Contains(rules, rule) {
			return f
		}
	}
	return ""
}

// tally is the agreement on one format.
type tally struct{ both, onlyTheirs, onlyMine int }

// compare counts by their rule and ours, and returns what only gitleaks found of
// what we claim, in words.
func compare(theirs, mine map[hit][]string) (map[string]*tally, []string) {
	table := map[string]*tally{}
	row := func(name string) *tally {
		if table[name] == nil {
			table[name] = &tally{}
		}
		return table[name]
	}
	var missed []string
	for at, rules := range theirs {
		for _, r := range rules {
			f := claimed(r)
			switch {
			case f == "":
				row("(not claimed) "+r).onlyTheirs++
			case len(mine[at]) > 0:
				row(f).both++
			default:
				row(f).onlyTheirs++
				if differs[f] == "" {
					missed = append(missed, fmt.Sprintf("%s (%s) at %s:%d", r, f, at.path, at.line))
				}
			}
		}
	}
	for at, list := range mine {
		for _, f := range list {
			if len(theirs[at]) == 0 {
				row(f).onlyMine++
			}
		}
	}
	slices.Sort(missed)
	return table, missed
}

func report(t *testing.T, table map[string]*tally, missed []string, texts map[string]string) {
	t.Helper()
	var b bytes.Buffer
	fmt.Fprintf(&b, "\n%-52s %6s %9s %6s\n", "format", "both", "gitleaks", "ours")
	for _, name := range slices.Sorted(maps.Keys(table)) {
		r := table[name]
		fmt.Fprintf(&b, "%-52s %6d %9d %6d\n", name, r.both, r.onlyTheirs, r.onlyMine)
	}
	t.Log(b.String())
	for _, m := range missed {
		t.Errorf("only gitleaks finds %s%s", m, quote(texts, m))
	}
}

// quote shows the line of a made-up key.
func quote(texts map[string]string, place string) string {
	for name, text := range texts {
		if _, n, ok := strings.Cut(place, " at "+name+":"); ok {
			var line int
			_, _ = fmt.Sscan(n, &line)
			return ": " + strings.Split(text, "\n")[line-1]
		}
	}
	return ""
}

// TestFixtures asks both about the fixtures of the scanner.
func TestFixtures(t *testing.T) {
	files := fixtures(t)
	if len(files) < 12 {
		t.Fatalf("%d files in the fixtures", len(files))
	}
	table, missed := compare(theirs(t, files), mine(t, save(t, files)))
	report(t, table, missed, files)
}

// fixtures reads the texts in the fixtures of the rule of secrets.
func fixtures(t *testing.T) map[string]string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(root, "internal/core/scan/testdata/ST-016/*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, path := range list {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		name := ""
		for line := range strings.Lines(strings.ReplaceAll(string(text), "¦", "")) {
			if n, ok := strings.CutPrefix(strings.TrimRight(line, "\n"), "-- "); ok && strings.HasSuffix(n, " --") {
				name = strings.TrimSuffix(filepath.Base(path), ".txtar") + "/" + strings.TrimSuffix(n, " --")
				if strings.Contains(n, "!/") || strings.Contains(n, ".hex") || strings.HasPrefix(n, "options.json") {
					name = "" // archives and such are not what is compared
				}
			} else if name != "" {
				files[name] += line
			}
		}
	}
	return files
}

// TestMadeUpKeys makes keys from gitleaks' own expressions, of every format that
// we claim, and writes them into scripts as a build would hold them.
func TestMadeUpKeys(t *testing.T) {
	d, err := detect.NewDetectorDefaultConfig()
	if err != nil {
		t.Fatal(err)
	}
	const each = 15
	r := rand.New(rand.NewPCG(1, 2))
	files := map[string]string{}
	for f, rules := range claims {
		for _, id := range rules {
			rule, ok := d.Config.Rules[id]
			if !ok {
				t.Errorf("gitleaks has no rule %s", id)
				continue
			}
			var b strings.Builder
			for range each {
				b.WriteString(madeUp(t, r, f, rule.Regex.String(), rule.SecretGroup) + "\n")
			}
			files[id+".js"] = b.String()
		}
	}
	found := theirs(t, files)
	for f, rules := range claims {
		for _, id := range rules {
			n := 0
			for at := range found {
				if at.path == id+".js" {
					n++
				}
			}
			if n < each/3 {
				t.Errorf("gitleaks finds %d of %d made-up keys of %s (%s): the comparison says little", n, each, id, f)
			}
		}
	}
	table, missed := compare(found, mine(t, save(t, files)))
	report(t, table, missed, files)
}

// madeUp is a line of a script with a key in it.
func madeUp(t *testing.T, r *rand.Rand, format, expr string, group int) string {
	whole := sample(t, r, expr)
	key := whole
	m := regexp.MustCompile(expr).FindStringSubmatch(whole)
	if group == 0 && len(m) > 1 {
		group = 1
	}
	for i := max(group, 0); i < len(m); i++ { // the first group that matched
		if m[i] != "" {
			key = m[i]
			break
		}
	}
	key = genuine(r, format, key)
	switch format {
	case "private-key":
		return "var k=`" + strings.ReplaceAll(key, "\n", `\n`) + "`;"
	case "twilio-key":
		return `var twilio={key:"` + key + `"};`
	case "mailgun-key":
		return `var mailgun_key="` + key + `";`
	case "mailchimp-key":
		return `var mailchimp_key="` + key + `";`
	case "telegram-bot-token":
		return `var telegram_token="` + key + `";`
	case "generic-secret":
		return `var c={api_key:"` + key + `"};`
	}
	return `var c={k:"` + key + `"};`
}

// maxText is how much of a build's file gitleaks is asked about: its time grows
// fast with the length of a line, and builds have one.
const maxText = 64 << 10

// TestCleanBuilds compares on the builds of test/corpus, where they were made.
func TestCleanBuilds(t *testing.T) {
	dir := os.Getenv("WAXWING_CORPUS_CACHE")
	if dir == "" || os.Getenv("WAXWING_ORACLES") != "1" {
		t.Skip("LOUD: gitleaks takes minutes for real builds: WAXWING_ORACLES=1 and WAXWING_CORPUS_CACHE (where test/corpus built) ask for it")
	}
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if rel, _ := filepath.Rel(dir, path); len(text) <= maxText {
			files[filepath.ToSlash(rel)] = string(text)
		}
		return err
	})
	if err != nil || len(files) < 20 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	table, missed := compare(theirs(t, files), mine(t, dir))
	report(t, table, missed, files)
}
