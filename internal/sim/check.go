package sim

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Bounds of a run.
const (
	MaxDevices = 1_000_000
	maxHours   = 30 * 24 // times are 32 bits of milliseconds
)

// The ways in which a release travels.
const (
	deliverFiles = "files"
	deliverZip   = "zip"
)

// What forgers claim.
const (
	claimFails = "fails"
	claimWorks = "works"
)

// Check reports the first value that makes no sense.
func (s *Scenario) Check() error {
	if err := s.checkShares(); err != nil {
		return err
	}
	if err := s.checkAmounts(); err != nil {
		return err
	}
	switch r := &s.Release; {
	case s.Hours < 1 || s.Hours > maxHours:
		return bad("hours", "a run lasts 1 to %d hours", maxHours)
	case s.StartHour < 0 || s.StartHour > 23:
		return bad("start_hour", "an hour of the day is 0 to 23")
	case r.Delivery != deliverFiles && r.Delivery != deliverZip:
		return bad("release.delivery", "a release travels as %s or as %s", deliverFiles, deliverZip)
	case r.Bytes < 1 || r.Bytes > 1<<30 || r.DeltaBytes < 1 || r.DeltaBytes > r.Bytes:
		return bad("release.bytes", "a release has 1 byte to 1 GiB, and its delta not more")
	case s.Forgers.Share > 0 && (s.Forgers.Claim != claimFails && s.Forgers.Claim != claimWorks || s.Forgers.Networks < 1):
		return bad("forgers", "forgers claim %s or %s, from one network at least", claimFails, claimWorks)
	case len(s.Fleet.Opens) == 0 || len(s.Fleet.Zones) == 0:
		return bad("fleet", "a fleet has one class of people and one time zone at least")
	}
	for platform := range s.Release.Fails {
		if platform != android && platform != ios {
			return bad("release.fails", "there is no platform %q: use android or ios", platform)
		}
	}
	if err := s.Rollout.check(); err != nil {
		return bad("rollout.steps", "%s", err)
	}
	for _, o := range s.Outages {
		if o.From < 0 || o.To <= o.From || o.To > maxHours*60 {
			return bad("outages", "an outage ends after it began")
		}
	}
	return nil
}

func (s *Scenario) checkShares() error {
	f, n, d := &s.Fleet, &s.Network, &s.Device
	shares := map[string]float64{
		"fleet.ios": f.IOS, "fleet.dormant": f.Dormant, "fleet.herd": f.Herd,
		"network.offline": n.Offline, "network.captive": n.Captive, "network.slow": n.Slow, "network.lossy": n.Lossy,
		"network.loss": n.Loss, "network.lossy_loss": n.LossyLoss,
		"device.full_disk": d.FullDisk, "device.crashes": d.Crashes, "device.not_ready": d.NotReady,
		"release.crashes": s.Release.Crashes, "forgers.share": s.Forgers.Share,
	}
	for platform, p := range s.Release.Fails {
		shares["release.fails."+platform] = p
	}
	for i, o := range f.Opens {
		shares[fmt.Sprintf("fleet.opens.%d.share", i)] = o.Share
	}
	for i, z := range f.Zones {
		shares[fmt.Sprintf("fleet.zones.%d.share", i)] = z.Share
		if z.Offset < -12 || z.Offset > 14 {
			return bad("fleet.zones", "a time zone is -12 to 14 hours from UTC")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(shares)) {
		if v := shares[name]; !(v >= 0 && v <= 1) {
			return bad(name, "%v is not a share: use 0 to 1", v)
		}
	}
	if sum := n.Offline + n.Captive + n.Slow + n.Lossy; sum > 1 {
		return bad("network", "its states come to %v together, 1 at most", sum)
	}
	return nil
}

func (s *Scenario) checkAmounts() error {
	f, n, d := &s.Fleet, &s.Network, &s.Device
	amounts := map[string][3]float64{ // value, lowest, highest
		"fleet.spread": {f.Spread, 0, 3}, "fleet.herd_seconds": {f.HerdSeconds, 0, 86_400},
		"fleet.session.median_seconds": {f.Session.MedianSeconds, 1, 86_400}, "fleet.session.spread": {f.Session.Spread, 0, 3},
		"network.median_mbit": {n.MedianMbit, 0.001, 100_000}, "network.spread": {n.Spread, 0, 3},
		"network.offline_hours": {n.OfflineHours, 0, 1000}, "network.cuts_per_mb": {n.CutsPerMB, 0, 1000},
		"device.deaths_per_day": {d.DeathsPerDay, 0, 10}, "device.full_days": {d.FullDays, 0, 10_000},
		"release.fix_hours": {s.Release.FixHours, 0, maxHours},
	}
	for i, o := range f.Opens {
		amounts[fmt.Sprintf("fleet.opens.%d.per_day", i)] = [3]float64{o.PerDay, 0.001, 200}
	}
	for _, name := range slices.Sorted(maps.Keys(amounts)) {
		if v := amounts[name]; math.IsNaN(v[0]) || v[0] < v[1] || v[0] > v[2] {
			return bad(name, "%v is out of range: use %v to %v", v[0], v[1], v[2])
		}
	}
	return nil
}

func bad(field, format string, a ...any) error {
	return ota.Invalid("scenario_invalid", field+": "+format, a...).WithField(field)
}
