package run

import (
	"context"
	"math"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/outcome"
	"github.com/waxwing-ota/waxwing/internal/driver/sqlstore"
	"github.com/waxwing-ota/waxwing/internal/plane/alerts"
	"github.com/waxwing-ota/waxwing/internal/plane/ingest"
	"github.com/waxwing-ota/waxwing/internal/surface/deviceapi/capgo"
)

// wireAlerts builds what watches over apps.
func (s *Server) wireAlerts() {
	s.alerts = alerts.New(alerts.Deps{
		Store: sqlstore.Alerts{DB: s.db}, Now: time.Now, Log: s.log,
		Metadata: func(app string) []ota.TrustRole { return s.trust.Expiring(app, math.MaxInt64) },
	})
}

// watchedChannels counts the choices of channels that devices make.
type watchedChannels struct {
	capgo.SelfChannels
	switched func(app string)
}

// SetSelfChannel implements [capgo.SelfChannels].
func (w watchedChannels) SetSelfChannel(ctx context.Context, app string, id ota.DeviceID, channel string) error {
	err := w.SelfChannels.SetSelfChannel(ctx, app, id, channel)
	if err == nil {
		w.switched(app)
	}
	return err
}

// sightings are what alerts look at of it. A device comes to a state by the ones
// before it: who was offered nothing installs nothing.
func sightings(v *ingest.Observed) []alerts.Sighting {
	if v.Unstored {
		return nil
	}
	out := make([]alerts.Sighting, 0, len(v.Exposed)+len(v.Moves)+len(v.Strange))
	for i := range v.Exposed {
		e := &v.Exposed[i]
		out = append(out, alerts.Sighting{App: e.App, Device: e.Device, Network: e.Network})
	}
	for i := range v.Moves {
		m := &v.Moves[i]
		odd := m.From == outcome.None && m.To >= outcome.Installed && m.Reason != outcome.Silent
		out = append(out, alerts.Sighting{App: m.App, Device: m.Device, Network: m.Network, Odd: odd})
	}
	for _, e := range v.Strange {
		out = append(out, alerts.Sighting{App: e.App, Device: e.Device, Network: e.Network, Unknown: true})
	}
	return out
}
