package run

import (
	"context"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/driver/sqlstore"
	"github.com/waxwing-ota/waxwing/internal/plane/control"
	"github.com/waxwing-ota/waxwing/internal/plane/incidents"
)

// wireIncidents makes the plane of incidents, whose acts are those of the
// control plane.
func (s *Server) wireIncidents() {
	s.incidents = incidents.New(incidents.Deps{
		Store: sqlstore.Incidents{DB: s.db}, Now: time.Now, Flush: s.ingest.Flush,
		Contain: func(ctx context.Context, p ota.Principal, app string, in ota.Containment, incident int64,
			also func(ctx context.Context, tx incidents.Moving) (ota.Change, error),
		) error {
			return s.control.Contain(ctx, p, app, in, control.Within{
				Incident: incident,
				Also:     func(ctx context.Context, tx control.IncidentTx) (ota.Change, error) { return also(ctx, tx) },
			})
		},
		Recover: func(ctx context.Context, actor ota.Actor, i ota.Incident, in ota.Recovery,
			also func(ctx context.Context, tx incidents.Moving, to string) (ota.Change, error),
		) error {
			what := control.Recovery{Channel: i.Channel, Version: i.Version, To: in.To, Note: in.Note}
			return s.control.Recover(ctx, actor, i.App, what, i.ID, func(ctx context.Context, tx control.IncidentTx, to string) (ota.Change, error) {
				return also(ctx, tx, to)
			})
		},
	})
}
