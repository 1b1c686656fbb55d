package ingest

import (
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/semver"
)

// defaultWindow is in which a device counts as failing, or as silent.
const defaultWindow = 24 * time.Hour

// healthWindow returns the health window of a channel in ms.
func healthWindow(view *decide.App, channel string) int64 {
	if view != nil {
		if ch := view.ChannelByName(channel); ch != nil && ch.Policy.Guard.HealthWindowMinutes > 0 {
			return int64(ch.Policy.Guard.HealthWindowMinutes) * time.Minute.Milliseconds()
		}
	}
	return defaultWindow.Milliseconds()
}

// complete adds to a note what the snapshot knows: it is not worked out while
// the check waits.
func (s *Service) complete(row *DeviceRow) {
	view := s.snap.App(row.App)
	if view == nil || row.IsEmulator || row.Reach != Running {
		row.Told = Told{}
		return
	}
	told := &row.Told
	if !told.Signed && s.signedOnly != nil && told.Offered != "" && s.signedOnly(row.App, told.Offered) {
		row.Told = Told{} // anybody can ask in anybody's name
		return
	}
	told.Window = healthWindow(view, told.Channel)
	ch := view.ChannelByName(told.Channel)
	if told.Rollout != "" {
		if ch == nil || ch.Rollout == nil || ch.Rollout.ID != told.Rollout {
			told.Rollout, told.Arm = "", decide.NoArm // it ended meanwhile
		} else {
			told.Target = ch.Rollout.Bundle.Version
		}
	}
	for _, failed := range view.Facts(row.ID).Failed {
		if failed != row.VersionName {
			told.Left = append(told.Left, failed)
		}
	}
	if toldToLeave(view, ch, row.VersionName, told.Offered) {
		told.Left = append(told.Left, row.VersionName)
	}
	if told.Offered == ota.Builtin {
		told.Offered = ""
	}
}

// toldToLeave reports whether offered takes a device back from what it runs.
func toldToLeave(view *decide.App, ch *decide.Channel, running, offered string) bool {
	if offered == "" || running == offered || !published(view, running) {
		return false
	}
	if offered == ota.Builtin {
		return true
	}
	if ch != nil {
		if _, withdrawn := ch.Withdrawn[running]; withdrawn {
			return true
		}
	}
	from, ok1 := semver.Parse(running)
	to, ok2 := semver.Parse(offered)
	return ok1 && ok2 && semver.Compare(to, from) < 0
}
