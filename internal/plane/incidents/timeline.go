package incidents

import (
	"context"

	"github.com/waxwing-ota/waxwing/internal/core/incident"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// maxEntries bounds the records that one timeline is made from.
const maxEntries = 5000

// before is how long before the release of the version a timeline begins, in ms:
// what was pushed and approved then belongs to the story.
const before = 60 * 60 * 1000

// Timeline lists what happened, oldest first, from the record of changes. cut
// says that there was more.
func (s *Service) Timeline(ctx context.Context, id int64) (entries []ota.IncidentEntry, cut bool, err error) {
	i, err := s.d.Store.Incident(ctx, id)
	if err != nil {
		return nil, false, err
	}
	return s.timeline(ctx, &i)
}

func (s *Service) timeline(ctx context.Context, i *ota.Incident) ([]ota.IncidentEntry, bool, error) {
	since, until := i.OpenedAt, i.ClosedAt
	if i.ReleasedAt != 0 {
		since = min(since, i.ReleasedAt)
	}
	if until == 0 {
		until = s.nowMS()
	}
	changes, err := s.d.Store.IncidentChanges(ctx, i.App, since-before, until, maxEntries)
	if err != nil {
		return nil, false, err
	}
	out := []ota.IncidentEntry{}
	for n := range changes {
		if e, ok := incident.Entry(i, &changes[n]); ok {
			out = append(out, e)
		}
	}
	return out, len(changes) == maxEntries, nil
}

// Report writes the post-mortem of an incident.
func (s *Service) Report(ctx context.Context, id int64) (ota.IncidentReport, error) {
	d, err := s.Detail(ctx, id)
	if err != nil {
		return ota.IncidentReport{}, err
	}
	f := incident.Facts{Incident: d.Incident, Blast: d.Blast, Samples: d.Samples, At: s.nowMS()}
	if f.Timeline, f.Cut, err = s.timeline(ctx, &d.Incident); err != nil {
		return ota.IncidentReport{}, err
	}
	return ota.IncidentReport{Markdown: incident.Report(f)}, nil
}
