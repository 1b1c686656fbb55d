// Package osv reads vulnerability entries of the OSV format, as osv.dev exports
// them, and turns those about npm packages into advisories of the scan. It is
// pure and bounded: an export holds hundreds of thousands of entries.
//
// It must never fetch anything.
package osv

import (
	"archive/zip"
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/cvss"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/scan"
)

// The bounds of what is read.
const (
	maxEntry   = 4 << 20 // bytes of an entry
	maxEntries = 2_000_000
	maxKept    = 500_000 // advisories
)

// entry is the part of an OSV entry that matters.
type entry struct {
	ID        string     `json:"id"`
	Aliases   []string   `json:"aliases"`
	Summary   string     `json:"summary"`
	Details   string     `json:"details"`
	Withdrawn string     `json:"withdrawn"`
	Severity  []severity `json:"severity"`
	Affected  []affected `json:"affected"`
	Database  struct {
		Severity json.RawMessage `json:"severity"`
	} `json:"database_specific"`
}

type severity struct {
	Type  string `json:"type"`
	Score string `json:"score"`
}

type affected struct {
	Package struct {
		Ecosystem string `json:"ecosystem"`
		Name      string `json:"name"`
	} `json:"package"`
	Severity []severity `json:"severity"`
	Ranges   []struct {
		Type   string  `json:"type"`
		Events []event `json:"events"`
	} `json:"ranges"`
	Versions []string `json:"versions"`
}

type event struct {
	Introduced   string `json:"introduced"`
	Fixed        string `json:"fixed"`
	LastAffected string `json:"last_affected"`
}

// Database collects advisories.
type Database struct {
	keep    func(name string) bool
	entries int
	list    []scan.Advisory
}

// New returns an empty database that keeps what is about packages whose name
// keep accepts; nil = all.
func New(keep func(name string) bool) *Database { return &Database{keep: keep} }

// Advisories returns what was kept, in the order it was read.
func (d *Database) Advisories() []scan.Advisory { return d.list }

// Entries returns how many entries were read, of whatever ecosystem.
func (d *Database) Entries() int { return d.entries }

func invalid(format string, a ...any) *ota.Error {
	return ota.Invalid("osv_invalid", format, a...).
		WithHint("give an export of osv.dev: npm/all.zip, a folder of its entries, or a JSON list of entries")
}

// Add reads one entry.
func (d *Database) Add(data []byte) error {
	var e entry
	if err := json.Unmarshal(data, &e); err != nil {
		return invalid("an entry is not valid: %s", err)
	}
	return d.add(&e)
}

func (d *Database) add(e *entry) error {
	if e.ID == "" {
		return invalid("an entry has no id: this is no OSV entry")
	}
	if d.entries++; d.entries > maxEntries {
		return ota.Errorf(ota.KindTooLarge, "osv_too_large", "there are over %d OSV entries", maxEntries).WithHint("export those of npm alone")
	}
	if e.Withdrawn != "" {
		return nil
	}
	for i := range e.Affected {
		a := &e.Affected[i]
		if a.Package.Ecosystem != "npm" || a.Package.Name == "" || d.keep != nil && !d.keep(a.Package.Name) {
			continue
		}
		for _, adv := range e.advisories(a) {
			if len(d.list) >= maxKept {
				return ota.Errorf(ota.KindTooLarge, "osv_too_large", "there are over %d advisories", maxKept).WithHint("export those of npm alone")
			}
			d.list = append(d.list, adv)
		}
	}
	return nil
}

// advisories turns what an entry says of one package into advisories: one per
// range of versions, and one for the versions it lists if it has no range.
func (e *entry) advisories(a *affected) []scan.Advisory {
	base := scan.Advisory{ID: e.name(), Package: a.Package.Name, Summary: e.summary(), Score: e.score(a)}
	var out []scan.Advisory
	for _, r := range a.Ranges {
		if r.Type != "SEMVER" && r.Type != "ECOSYSTEM" {
			continue
		}
		open := false
		for _, ev := range r.Events {
			adv := base
			switch {
			case ev.Introduced != "":
				adv.Introduced = ev.Introduced
				out, open = append(out, adv), true
			case open && ev.Fixed != "":
				out[len(out)-1].Fixed, open = ev.Fixed, false
			case open && ev.LastAffected != "":
				out[len(out)-1].LastAffected, open = ev.LastAffected, false
			}
		}
	}
	if len(out) == 0 && len(a.Versions) > 0 {
		base.Versions = a.Versions
		out = append(out, base)
	}
	return out
}

// name is the id people know: the CVE if there is one.
func (e *entry) name() string {
	for _, a := range e.Aliases {
		if strings.HasPrefix(a, "CVE-") {
			return e.ID + " (" + a + ")"
		}
	}
	return e.ID
}

func (e *entry) summary() string {
	if e.Summary != "" {
		return e.Summary
	}
	first, _, _ := strings.Cut(e.Details, "\n")
	return first
}

// score is the CVSS v3 base score; without a vector, the middle of the band
// that the database names; 0 = unknown. Entries of malicious packages are 10.
func (e *entry) score(a *affected) float64 {
	for _, list := range [][]severity{a.Severity, e.Severity} {
		for _, s := range list {
			if v, ok := cvss.Base(s.Score); ok && s.Type == "CVSS_V3" {
				return v
			}
		}
	}
	if strings.HasPrefix(e.ID, "MAL-") {
		return 10
	}
	var band string
	if json.Unmarshal(e.Database.Severity, &band) != nil {
		return 0
	}
	switch strings.ToUpper(band) {
	case "CRITICAL":
		return 9.5
	case "HIGH":
		return 8
	case "MODERATE", "MEDIUM":
		return 5.5
	case "LOW":
		return 2
	}
	return 0
}

// ReadJSON reads a list of entries, or a single one.
func (d *Database) ReadJSON(r io.Reader) error {
	in := bufio.NewReaderSize(r, 64<<10)
	dec := json.NewDecoder(in)
	for {
		c, err := in.Peek(1)
		if err != nil {
			return invalid("the file is empty")
		}
		if c[0] > ' ' && c[0] != 0xEF && c[0] != 0xBB && c[0] != 0xBF {
			break
		}
		_, _ = in.Discard(1)
	}
	if c, _ := in.Peek(1); c[0] != '[' {
		return d.next(dec)
	}
	if _, err := dec.Token(); err != nil {
		return invalid("the file is not valid JSON: %s", err)
	}
	for dec.More() {
		if err := d.next(dec); err != nil {
			return err
		}
	}
	if _, err := dec.Token(); err != nil {
		return invalid("the list of entries does not end: %s", err)
	}
	return nil
}

func (d *Database) next(dec *json.Decoder) error {
	var e entry
	if err := dec.Decode(&e); err != nil {
		return invalid("an entry is not valid: %s", err)
	}
	return d.add(&e)
}

// ReadZip reads the entries of a zip, one in each .json file.
func (d *Database) ReadZip(z *zip.Reader) error {
	for _, f := range z.File {
		if path.Ext(f.Name) != ".json" {
			continue
		}
		r, err := f.Open()
		if err != nil {
			return invalid("cannot unpack %.80q: %s", f.Name, err)
		}
		err = d.readOne(r, f.Name)
		r.Close()
		if err != nil {
			return err
		}
	}
	return d.some()
}

// ReadFS reads the entries of a folder and those below it, one in each .json file.
func (d *Database) ReadFS(fsys fs.FS) error {
	err := fs.WalkDir(fsys, ".", func(p string, e fs.DirEntry, err error) error {
		if err != nil {
			return invalid("cannot read %.80q: %s", p, err)
		}
		if !e.Type().IsRegular() || path.Ext(p) != ".json" {
			return nil
		}
		f, err := fsys.Open(p)
		if err != nil {
			return invalid("cannot read %.80q: %s", p, err)
		}
		defer func() { _ = f.Close() }() // only read
		return d.readOne(f, p)
	})
	return errors.Join(err, d.some())
}

func (d *Database) readOne(r io.Reader, name string) error {
	data, err := io.ReadAll(io.LimitReader(r, maxEntry+1))
	if err != nil || len(data) > maxEntry {
		return invalid("%.80q cannot be read, or has over %d bytes", name, maxEntry)
	}
	if err := d.Add(data); err != nil {
		if e, ok := errors.AsType[*ota.Error](err); ok && e.Code == "osv_invalid" {
			e.Msg = name + ": " + e.Msg
		}
		return err
	}
	return nil
}

// some is the error for a source without a single entry: a wrong file must not
// read like a clean bill.
func (d *Database) some() error {
	if d.entries == 0 {
		return invalid("there is not one OSV entry")
	}
	return nil
}
