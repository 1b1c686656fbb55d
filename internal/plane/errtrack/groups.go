package errtrack

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/errgroup"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/semver"
)

// shownHours is how much of the past a group's counts per hour go back.
const shownHours = 7 * 24 * time.Hour

// showTime is how long symbolicating a stack that is shown may take.
const showTime = 10 * time.Second

// Groups lists the groups of an app.
func (s *Service) Groups(ctx context.Context, app string, f ota.ErrorFilter, p ota.Page) ([]ota.ErrorGroup, string, error) {
	if _, err := s.d.Store.App(ctx, app); err != nil {
		return nil, "", err
	}
	switch f.State {
	case "", ota.ErrorOpen, ota.ErrorResolved, ota.ErrorIgnored:
	default:
		return nil, "", ota.Invalid(CodeErrorFilter, "there is no state %q of errors", f.State).WithField("state").WithHint("open, resolved or ignored")
	}
	switch f.Sort {
	case "", ota.ErrorsByLastSeen, ota.ErrorsByFirstSeen, ota.ErrorsByCount, ota.ErrorsByDevices:
	default:
		return nil, "", ota.Invalid(CodeErrorFilter, "errors cannot be sorted by %q", f.Sort).WithField("sort").WithHint("last_seen, first_seen, count or devices")
	}
	if f.Kind != "" && !errgroup.Reports(f.Kind) {
		return nil, "", ota.Invalid(CodeErrorFilter, "no event %.40q reports errors", f.Kind).WithField("kind").WithHint("one of %s", strings.Join(errgroup.Kinds(), ", "))
	}
	return s.d.Store.ErrorGroups(ctx, app, f, p)
}

// Group returns a group with what is kept of it. The stack is that of a sample
// (0 = the newest one), symbolicated if the maps are there.
func (s *Service) Group(ctx context.Context, app string, id, sample int64) (ota.ErrorGroupDetail, error) {
	var d ota.ErrorGroupDetail
	var err error
	if d.ErrorGroup, err = s.d.Store.ErrorGroup(ctx, app, id); err != nil {
		return d, err
	}
	if d.Versions, err = s.d.Store.ErrorVersions(ctx, id); err != nil {
		return d, err
	}
	if d.Hours, err = s.d.Store.ErrorHours(ctx, id, s.d.Now().Add(-shownHours).UnixMilli()); err != nil {
		return d, err
	}
	if d.Samples, err = s.d.Store.ErrorSamples(ctx, id); err != nil {
		return d, err
	}
	d.Frames = []ota.ErrorFrame{}
	at := 0
	for i := range d.Samples {
		if d.Samples[i].ID == sample {
			at = i
		}
	}
	if at >= len(d.Samples) {
		return d, nil
	}
	if sample != 0 && d.Samples[at].ID != sample {
		return d, ota.NotFound(CodeErrorNotFound, "error %d has no sample %d", id, sample).WithHint("leave the sample out to see the newest")
	}
	d.Sample = d.Samples[at].ID
	t, _ := s.read(ctx, app, &d.Samples[at])
	if t.Frames != nil {
		d.Frames = t.Frames
	}
	return d, nil
}

// read reads a sample and symbolicates it. It reports whether maps were there.
func (s *Service) read(ctx context.Context, app string, sm *ota.ErrorSample) (errgroup.Trace, bool) {
	ctx, cancel := context.WithTimeout(ctx, showTime)
	defer cancel()
	t := errgroup.Read(errgroup.Report{Action: sm.Action, Metadata: sm.Metadata})
	if len(t.Frames) == 0 {
		return t, false
	}
	all, err := s.maps.of(ctx, release{app, sm.Version})
	if err != nil || len(all) == 0 {
		return t, false
	}
	return t, s.symbolicate(ctx, all, &t)
}

// Resolve marks a group as resolved: it opens again if it is seen in a version
// newer than the one it was resolved in.
func (s *Service) Resolve(ctx context.Context, actor ota.Actor, app string, id int64, in ota.ResolveError) (ota.ErrorGroup, error) {
	if in.Version != "" {
		if _, ok := semver.Parse(in.Version); !ok {
			return ota.ErrorGroup{}, ota.Invalid(CodeVersionInvalid, "%q is no semantic version", in.Version).
				WithField("version").WithHint("name the last version that may still have the error, such as 1.4.2, or none")
		}
	}
	return s.setState(ctx, actor, app, id, "error.resolve", func(tx Tx, g *ota.ErrorGroup) error {
		g.State, g.ResolvedIn, g.ResolvedAt, g.ResolvedBy = ota.ErrorResolved, in.Version, s.nowMS(), actor
		if in.Version != "" {
			return published(ctx, tx, app, in.Version)
		}
		versions, err := tx.ErrorVersions(ctx, id)
		g.ResolvedIn = newest(versions)
		return err
	})
}

// published refuses a version that never was: resolved in a mistyped one, a group
// may never open again. One that was deleted since is on devices and counts.
func published(ctx context.Context, tx Tx, app, version string) error {
	_, err := tx.Bundle(ctx, app, version)
	if ota.KindOf(err) == ota.KindNotFound {
		return ota.NotFound(CodeBundleNotFound, "app %q has no version %q", app, version).WithField("version").
			WithHint("name one that was published, or none: the newest that the error was seen in is taken then")
	}
	return err
}

// newest returns the highest version that a group was seen in.
func newest(versions []ota.ErrorVersion) string {
	var best semver.Version
	name := ""
	for i := range versions {
		if v, ok := semver.Parse(versions[i].Version); ok && (name == "" || semver.Compare(v, best) > 0) {
			best, name = v, versions[i].Version
		}
	}
	return name
}

// Ignore marks a group as one that nobody wants to hear of.
func (s *Service) Ignore(ctx context.Context, actor ota.Actor, app string, id int64) (ota.ErrorGroup, error) {
	return s.setState(ctx, actor, app, id, "error.ignore", func(_ Tx, g *ota.ErrorGroup) error {
		g.State = ota.ErrorIgnored
		return nil
	})
}

// Reopen takes back that a group was resolved or ignored.
func (s *Service) Reopen(ctx context.Context, actor ota.Actor, app string, id int64) (ota.ErrorGroup, error) {
	return s.setState(ctx, actor, app, id, "error.reopen", func(_ Tx, g *ota.ErrorGroup) error {
		if g.State == ota.ErrorOpen {
			return ota.Conflict(CodeErrorState, "error %d is open already", id).WithHint("nothing needs to be done")
		}
		g.State, g.ResolvedIn, g.ResolvedAt, g.ResolvedBy = ota.ErrorOpen, "", 0, ""
		return nil
	})
}

func (s *Service) setState(ctx context.Context, actor ota.Actor, app string, id int64, action string, set func(Tx, *ota.ErrorGroup) error) (g ota.ErrorGroup, err error) {
	err = s.update(ctx, actor, app, func(tx Tx) (ota.Change, error) {
		if g, err = tx.ErrorGroup(ctx, app, id); err != nil {
			return ota.Change{}, err
		}
		if err := set(tx, &g); err != nil {
			return ota.Change{}, err
		}
		// What the device said of itself stays out of the record of changes.
		detail := fields{"kind": g.Kind, "state": g.State, "resolved_in": g.ResolvedIn}
		return change(action, "error "+strconv.FormatInt(id, 10), detail), tx.SetErrorState(ctx, g)
	})
	return g, err
}
