package trustdir

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/p256"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
	"github.com/waxwing-ota/waxwing/internal/core/tuf"
)

// Change is one line of what a draft changes, for people.
type Change struct {
	Act  string `json:"act"`  // ActAdd, ActRemove, ActSet or ActKeep
	What string `json:"what"` // such as "root key", "release", "floor"
	Text string `json:"text"`
}

// What happens to a thing.
const (
	ActAdd    = "add"
	ActRemove = "remove"
	ActSet    = "set"
	ActKeep   = "keep" // said because it matters, not because it changes
)

type changes struct {
	f    *Folder
	list []Change
}

func (c *changes) add(act, what, format string, a ...any) {
	c.list = append(c.list, Change{Act: act, What: what, Text: fmt.Sprintf(format, a...)})
}

// Changes says exactly what the draft of a role changes, from the bytes that are
// signed and from what is in force and verifies.
func (f *Folder) Changes(role string) ([]Change, error) {
	c := &changes{f: f, list: []Change{}}
	var err error
	if role == tuf.RoleRoot {
		err = c.root()
	} else {
		err = c.targets()
	}
	return c.list, err
}

func (c *changes) root() error {
	now, err := c.f.root()
	if err != nil {
		return err
	}
	next, err := c.f.nextRoot()
	if err != nil {
		return err
	}
	var before tuf.RootPlan
	if now != nil {
		before = now.Plan()
	} else {
		c.add(ActAdd, "root", "the first root of app %s: whoever holds its keys decides what all its devices run", c.f.App)
	}
	after := next.Plan()
	c.add(ActSet, "version", "%d", next.Version)
	c.expires(before.Expires, after.Expires)
	c.keys("root", before.Root, after.Root)
	c.keys("release (targets)", before.Targets, after.Targets)
	c.keys("snapshot (the server's)", before.Snapshot, after.Snapshot)
	c.keys("timestamp (the server's)", before.Timestamp, after.Timestamp)
	return nil
}

func (c *changes) expires(before, after time.Time) {
	text := after.UTC().Format(time.RFC3339)
	if !before.IsZero() {
		text += ", was " + before.UTC().Format(time.RFC3339)
	}
	c.add(ActSet, "expires", "%s", text)
}

// keys compares the keys of a role.
func (c *changes) keys(role string, before, after tuf.Keys) {
	was, is := ids(before.Keys), ids(after.Keys)
	for _, id := range is {
		if !slices.Contains(was, id) {
			c.add(ActAdd, role+" key", "%s  %s  %s", c.f.Name(id), Groups(id), Words(id))
		}
	}
	for _, id := range was {
		if !slices.Contains(is, id) {
			c.add(ActRemove, role+" key", "%s  %s", c.f.Name(id), Groups(id))
		}
	}
	text := fmt.Sprintf("%d of %d must sign", after.Threshold, len(is))
	switch {
	case len(was) == 0 && len(is) == 0:
	case before.Threshold != after.Threshold || len(was) != len(is):
		if len(was) > 0 {
			text += fmt.Sprintf(", was %d of %d", before.Threshold, len(was))
		}
		c.add(ActSet, role+" threshold", "%s", text)
	default:
		c.add(ActKeep, role+" threshold", "%s", text)
	}
}

func ids(keys []p256.Key) []string {
	var out []string
	for _, k := range keys {
		out = append(out, k.ID())
	}
	slices.Sort(out)
	return out
}

func (c *changes) targets() error {
	next, err := tuf.ParseTargets(c.f.Draft.Targets)
	if err != nil {
		return tampered(err, "the draft of targets")
	}
	var before tuf.TargetsPlan
	was := c.f.verifiedTargets()
	switch {
	case was != nil:
		before = was.Plan()
	case c.f.Targets != nil:
		c.add(ActKeep, "note", "the release keys in force did not sign the targets in force, so all of the draft is listed")
	}
	c.add(ActSet, "version", "%d", next.Version)
	c.expires(before.Expires, next.Expires.Time)
	after := next.Plan()
	c.keys("staging", delegated(before), delegated(after))
	if err := c.trust(was); err != nil {
		return err
	}
	c.manifests(before.Targets, after.Targets)
	return nil
}

func delegated(p tuf.TargetsPlan) tuf.Keys {
	for _, d := range p.Delegations {
		if d.Name == tuf.RoleStaging {
			return d.Keys
		}
	}
	return tuf.Keys{}
}

// manifests compares what may run in production.
func (c *changes) manifests(before, after map[string]tuf.TargetFile) {
	latest := c.newest(before)
	for _, path := range bySeq(after) {
		file := after[path]
		if have, ok := before[path]; path == tuf.TrustPath || ok && have.SHA256 == file.SHA256 {
			continue
		}
		m, err := sealed.Parse[sealed.Manifest](c.f.Manifests[file.SHA256])
		if err != nil {
			c.add(ActAdd, "release", "%s  sha256 %s", path, file.SHA256)
			continue
		}
		c.add(ActAdd, "release", "version %s, number %d: %d files, %d bytes, for %s, native %s  sha256 %s",
			m.Version, m.Seq, len(m.Files), total(m), strings.Join(m.Platforms, " "), nativeRange(m.Native), file.SHA256)
		if m.Floor > 0 {
			c.add(ActSet, "floor", "devices that ran number %d never again run one below %d", m.Seq, m.Floor)
		}
		c.files(latest, m)
	}
	for _, path := range bySeq(before) {
		if _, ok := after[path]; !ok {
			c.add(ActRemove, "release", "%s  sha256 %s: devices are no longer given it", path, before[path].SHA256)
		}
	}
}

// newest is the manifest of the highest number that is here.
func (c *changes) newest(targets map[string]tuf.TargetFile) *sealed.Manifest {
	for _, path := range slices.Backward(bySeq(targets)) {
		if m, err := sealed.Parse[sealed.Manifest](c.f.Manifests[targets[path].SHA256]); err == nil {
			return m
		}
	}
	return nil
}

// maxFileLines bounds how many files are named; the counts are of all.
const maxFileLines = 40

// files compares the files of a release with those of the one before it.
func (c *changes) files(before, after *sealed.Manifest) {
	if before == nil {
		return
	}
	was := map[string]string{}
	for _, f := range before.Files {
		was[f.Path] = f.SHA256
	}
	var lines []Change
	counts := map[string]int{}
	say := func(act, path string) {
		counts[act]++
		lines = append(lines, Change{Act: act, What: "file", Text: strconv.QuoteToGraphic(path)})
	}
	for _, f := range after.Files {
		switch have, ok := was[f.Path]; {
		case !ok:
			say(ActAdd, f.Path)
		case have != f.SHA256:
			say(ActSet, f.Path)
		}
		delete(was, f.Path)
	}
	for _, path := range slices.Sorted(maps.Keys(was)) {
		say(ActRemove, path)
	}
	c.add(ActKeep, "files", "against version %s: %d new, %d changed, %d gone", before.Version, counts[ActAdd], counts[ActSet], counts[ActRemove])
	if len(lines) > maxFileLines {
		lines = append(lines[:maxFileLines], Change{Act: ActKeep, What: "file", Text: fmt.Sprintf("and %d more", len(lines)-maxFileLines)})
	}
	c.list = append(c.list, lines...)
}

func total(m *sealed.Manifest) (n int64) {
	for _, f := range m.Files {
		n += f.Size
	}
	return n
}

func nativeRange(n sealed.Native) string {
	if n.Max == "" {
		return n.Min + " and up"
	}
	return n.Min + " to " + n.Max
}

// bySeq sorts target paths by the number in them.
func bySeq(targets map[string]tuf.TargetFile) []string {
	seq := func(path string) int64 {
		if c := targets[path].Custom; c != nil {
			return c.Seq
		}
		return 0
	}
	return slices.SortedFunc(maps.Keys(targets), func(a, b string) int {
		if sa, sb := seq(a), seq(b); sa != sb {
			return int(min(max(sa-sb, -1), 1))
		}
		return strings.Compare(a, b)
	})
}
