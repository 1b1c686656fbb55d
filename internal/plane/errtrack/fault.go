package errtrack

import (
	"context"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/errgroup"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/sourcemap"
)

// otherVersion is what reports of versions that were never published count as:
// what devices claim must not make rows without end.
const otherVersion = "other"

// Fault returns the group of an event that reports an error; nil = it reports
// none. It asks for source maps only if the event's version has some, and gives
// that up when ctx ends: the error is then grouped as it was reported.
func (s *Service) Fault(ctx context.Context, app string, view *decide.App, e *ota.Event) *ota.Fault {
	if !errgroup.Reports(e.Action) {
		return nil
	}
	version, published := versionLabel(view, e.VersionName)
	t := errgroup.Read(errgroup.Report{Action: e.Action, Metadata: e.Metadata})
	g := s.group(ctx, release{app, version}, published, &t)
	return &ota.Fault{Print: g.Print, Kind: t.Kind, Title: g.Title, Culprit: g.Culprit, Version: version, Mapped: g.Mapped}
}

// group finds the group of a trace, symbolicated if that is possible.
func (s *Service) group(ctx context.Context, r release, published bool, t *errgroup.Trace) errgroup.Group {
	if !published || len(t.Frames) == 0 {
		return errgroup.Of(t)
	}
	age := s.seen.age()
	all, err := s.maps.of(ctx, r)
	if err != nil || len(all) == 0 {
		return errgroup.Of(t)
	}
	k := trace{r, errgroup.Key(t)}
	if g, ok := s.seen.get(k); ok {
		return g
	}
	if !s.symbolicate(ctx, all, t) {
		return errgroup.Of(t) // not remembered: the next may have more time
	}
	g := errgroup.Of(t)
	s.seen.put(k, g, age)
	return g
}

// symbolicate replaces what frames it can, and reports whether it had all the
// maps there are.
func (s *Service) symbolicate(ctx context.Context, all map[string]ota.Digest, t *errgroup.Trace) bool {
	whole := true
	raw := append([]ota.ErrorFrame{}, t.Frames...)
	errgroup.Symbolicate(t, func(script string) *sourcemap.Map {
		d, ok := find(all, script)
		if !ok || !whole {
			return nil
		}
		m, err := s.maps.load(ctx, d)
		if err != nil {
			whole = false
			s.d.Log.WarnContext(ctx, "an error is not symbolicated", "script", script, "err", err)
		}
		return m
	})
	if !whole {
		t.Frames = raw
	}
	return whole
}

// versionLabel returns what a reported version is counted under, and whether it
// was published.
func versionLabel(view *decide.App, name string) (label string, published bool) {
	if i := strings.IndexByte(name, ':'); i > 0 { // "version:path of a file"
		name = name[:i]
	}
	switch {
	case name == ota.Builtin || name == "":
		return ota.Builtin, false
	case ota.CheckVersionName(name) == nil && view != nil && view.Versions != nil && view.Versions.Has(name):
		return name, true
	}
	return otherVersion, false
}
