package sqlstore

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/waxwing-ota/waxwing/internal/core/errgroup"
	"github.com/waxwing-ota/waxwing/internal/core/hll"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/semver"
	"github.com/waxwing-ota/waxwing/internal/plane/ingest"
)

// Bounds of what is kept of errors.
const (
	maxErrorGroups = 5000             // of an app; what is beyond shares one group
	keptSamples    = 20               // of a group
	earlySamples   = 10               // taken as they come
	samplePause    = int64(10 * 60e3) // ms between those that follow
	errorHoursAge  = 30 * 24 * hourMS // ms
	maxSampleText  = 6 << 10          // bytes of a sample's metadata
	hourMS         = int64(60 * 60e3) //
)

// The statements that store errors. Their numbers come once per group and commit,
// not once per report.
const (
	findErrorGroup = `SELECT id, state, last_seen, resolved_in, sketch, samples, sampled_at, regressed_at FROM error_groups WHERE app = $1 AND fingerprint = $2`

	countErrorGroups = `SELECT count(*) FROM error_groups WHERE app = $1`

	insertErrorGroup = `INSERT INTO error_groups
		(app, fingerprint, kind, title, culprit, mapped, state, first_seen, last_seen, first_version, last_version, count, devices, sketch, samples, sampled_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, $11, $12, $13, $14, $15) RETURNING id`

	updateErrorGroup = `UPDATE error_groups SET state = $1, last_seen = $2, last_version = $3, count = count + $4, devices = $5, sketch = $6,
		samples = $7, sampled_at = $8, regressed_at = $9 WHERE id = $10`

	addErrorVersion = `INSERT INTO error_versions (grp, version, platform, n, first_seen, last_seen) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (grp, version, platform) DO UPDATE SET n = error_versions.n + excluded.n, last_seen = excluded.last_seen`

	addErrorHour = `INSERT INTO error_hours (grp, hour, version, n) VALUES ($1, $2, $3, $4)
		ON CONFLICT (grp, hour, version) DO UPDATE SET n = error_hours.n + excluded.n`

	dropErrorHours = `DELETE FROM error_hours WHERE grp = $1 AND hour < $2`

	insertErrorSample = `INSERT INTO error_samples (grp, at, device, action, version, version_build, platform, plugin_version, metadata)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`

	dropErrorSamples = `DELETE FROM error_samples WHERE grp = $1 AND id NOT IN (SELECT id FROM error_samples WHERE grp = $1 ORDER BY id DESC LIMIT $2)`
)

// errorSQL lists them for [intake.prepared].
var errorSQL = []string{
	findErrorGroup, countErrorGroups, insertErrorGroup, updateErrorGroup, addErrorVersion, addErrorHour, dropErrorHours, insertErrorSample, dropErrorSamples,
}

// errorSum is what one commit says of one group.
type errorSum struct {
	fault    *ota.Fault
	events   []*ingest.EventRow
	versions map[[2]string]int64 // by version and platform
	hours    map[errorHour]int64
	first    int64
	last     int64
}

type errorHour struct {
	at      int64
	version string
}

// errorGroup is a row of error_groups as writing needs it.
type errorGroup struct {
	id                    int64
	state                 string
	lastSeen, regressedAt int64
	resolvedIn            string
	devices               hll.Set
	samples, sampledAt    int64
}

// errors stores the errors among the events that were stored: sums per group
// first, then one row per key.
func (w *batch) errors(events []ingest.EventRow) error {
	type key struct {
		app   string
		print ota.ErrorPrint
	}
	var sums map[key]*errorSum
	var order []key // so that groups get their ids in the order of their reports
	for i := range events {
		e := &events[i]
		if e.Fault == nil || !w.out.Stored[i] {
			continue
		}
		if sums == nil {
			sums = map[key]*errorSum{}
		}
		k := key{e.App, e.Fault.Print}
		s := sums[k]
		if s == nil {
			s = &errorSum{fault: e.Fault, versions: map[[2]string]int64{}, hours: map[errorHour]int64{}, first: e.ReceivedAt}
			sums[k], order = s, append(order, k)
		}
		s.events = append(s.events, e)
		s.versions[[2]string{e.Fault.Version, platformLabel(e.Platform)}]++
		s.hours[errorHour{e.ReceivedAt - e.ReceivedAt%hourMS, e.Fault.Version}]++
		s.first, s.last = min(s.first, e.ReceivedAt), max(s.last, e.ReceivedAt)
	}
	for _, k := range order {
		if err := w.errorSum(k.app, sums[k]); err != nil {
			return err
		}
	}
	return nil
}

// platformLabel bounds what devices may call their platform.
func platformLabel(s string) string {
	switch s {
	case "ios", "android", "electron":
		return s
	}
	return "other"
}

func (w *batch) errorSum(app string, s *errorSum) error {
	g, err := w.findErrorGroup(app, s.fault.Print)
	if errors.Is(err, sql.ErrNoRows) {
		g, err = w.newErrorGroup(app, s)
	}
	if err != nil {
		return err
	}
	newHour := g.lastSeen-g.lastSeen%hourMS != s.last-s.last%hourMS
	for _, e := range s.events {
		g.devices.Add(w.roll.hash(&e.Device))
	}
	if g.state == string(ota.ErrorResolved) && s.regresses(g.resolvedIn) {
		g.state, g.regressedAt = string(ota.ErrorOpen), s.last
	}
	if err := w.sampleErrors(&g, s); err != nil {
		return err
	}
	version := s.events[len(s.events)-1].Fault.Version
	if _, err := w.exec(updateErrorGroup, g.state, max(g.lastSeen, s.last), version, len(s.events), g.devices.Count(), g.devices.Append(nil),
		g.samples, g.sampledAt, g.regressedAt, g.id); err != nil {
		return err
	}
	for k, n := range s.versions {
		if _, err := w.exec(addErrorVersion, g.id, k[0], k[1], n, s.first, s.last); err != nil {
			return err
		}
	}
	for k, n := range s.hours {
		if _, err := w.exec(addErrorHour, g.id, k.at, k.version, n); err != nil {
			return err
		}
	}
	if newHour {
		_, err = w.exec(dropErrorHours, g.id, s.last-errorHoursAge)
	}
	return err
}

// regresses reports whether any version of the sum is newer than the one that
// the group was resolved in. Versions without an order are never newer.
func (s *errorSum) regresses(resolvedIn string) bool {
	was, ordered := semver.Parse(resolvedIn)
	for k := range s.versions {
		if v, ok := semver.Parse(k[0]); ok && (!ordered || semver.Compare(v, was) > 0) {
			return true
		}
	}
	return false
}

func (w *batch) findErrorGroup(app string, print ota.ErrorPrint) (errorGroup, error) {
	var g errorGroup
	var sketch []byte
	row := w.stmt(findErrorGroup).QueryRowContext(w.ctx, app, print[:]) //nolint:sqlclosecheck // the transaction closes its statements
	err := row.Scan(&g.id, &g.state, &g.lastSeen, &g.resolvedIn, &sketch, &g.samples, &g.sampledAt, &g.regressedAt)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return g, storeError("query", err)
	}
	if err != nil {
		return g, err
	}
	if g.devices, err = hll.Decode(sketch); err != nil {
		return g, fmt.Errorf("devices of error group %d: %w", g.id, err)
	}
	return g, nil
}

// newErrorGroup makes the row of a group without counts, or finds the one that
// takes what an app has no room for.
func (w *batch) newErrorGroup(app string, s *errorSum) (errorGroup, error) {
	var n int64
	row := w.stmt(countErrorGroups).QueryRowContext(w.ctx, app) //nolint:sqlclosecheck // the transaction closes its statements
	if err := row.Scan(&n); err != nil {
		return errorGroup{}, storeError("query", err)
	}
	f := *s.fault
	if n >= maxErrorGroups {
		over := errgroup.Overflow()
		g, err := w.findErrorGroup(app, over.Print)
		if !errors.Is(err, sql.ErrNoRows) {
			return g, err
		}
		f = ota.Fault{Print: over.Print, Kind: "other", Title: over.Title, Version: f.Version}
	}
	g := errorGroup{state: string(ota.ErrorOpen)}
	row = w.stmt(insertErrorGroup).QueryRowContext(w.ctx, app, f.Print[:], f.Kind, f.Title, f.Culprit, f.Mapped, g.state, //nolint:sqlclosecheck // the transaction closes its statements
		s.first, s.last, f.Version, 0, 0, g.devices.Append(nil), 0, 0)
	if err := row.Scan(&g.id); err != nil {
		return g, storeError("write", err)
	}
	return g, nil
}

// sampleErrors keeps some reports whole: the first ones, later one now and then.
func (w *batch) sampleErrors(g *errorGroup, s *errorSum) error {
	added := false
	for _, e := range s.events {
		if g.samples >= earlySamples && e.ReceivedAt-g.sampledAt < samplePause {
			continue
		}
		meta, err := sampleText(e.Metadata)
		if err != nil {
			return err
		}
		if _, err := w.exec(insertErrorSample, g.id, e.ReceivedAt, e.Device[:], e.Action, e.VersionName, e.VersionBuild, e.Platform, e.PluginVersion, meta); err != nil {
			return err
		}
		g.samples, g.sampledAt, added = g.samples+1, e.ReceivedAt, true
	}
	if !added || g.samples <= keptSamples {
		return nil
	}
	_, err := w.exec(dropErrorSamples, g.id, keptSamples)
	return err
}

// sampleText is the metadata of a sample as JSON; what is most telling is kept
// if it is too much.
func sampleText(meta map[string]string) (string, error) {
	kept := make(map[string]string, len(meta))
	room := maxSampleText
	keep := func(k string) {
		if v, ok := meta[k]; ok && kept[k] == "" && len(k)+len(v) <= room {
			kept[k] = v
			room -= len(k) + len(v)
		}
	}
	for _, k := range [...]string{"stack", "message", "error_type", "exit_description", "exit_reason", "source", "line", "column", "href"} {
		keep(k)
	}
	for k := range meta {
		keep(k)
	}
	raw, err := json.Marshal(kept)
	if err != nil {
		return "", fmt.Errorf("encode metadata of an error: %w", err)
	}
	return string(raw), nil
}
