package run

import (
	"context"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/driver/sqlstore"
	"github.com/waxwing-ota/waxwing/internal/plane/alerts"
	"github.com/waxwing-ota/waxwing/internal/surface/deviceapi/capgo"
)

// wireAlerts builds what watches over apps.
func (s *Server) wireAlerts() {
	s.alerts = alerts.New(alerts.Deps{Store: sqlstore.Alerts{DB: s.db}, Now: time.Now, Log: s.log})
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
