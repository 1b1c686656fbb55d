package alert

import (
	"fmt"
	"math"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

const hourMS = 60 * 60 * 1000

func failureRate(f *Facts, p params) []Sample {
	var out []Sample
	for _, v := range f.Versions {
		low := 100 * lowerBound(float64(v.Failed), float64(v.Took))
		out = append(out, Sample{
			Subject: v.Version, Value: low, Threshold: p["rate_percent"],
			Bad:     float64(v.Failed) >= p["min_failures"] && low >= p["rate_percent"],
			Summary: fmt.Sprintf("%d of %d devices that took %s in %g h failed: at least %.1f %%, the limit is %g %%", v.Failed, v.Took, v.Version, p["hours"], low, p["rate_percent"]),
		})
	}
	return out
}

func adoptionStalled(f *Facts, p params) []Sample {
	var out []Sample
	for _, a := range f.Answers {
		taken := 0.0
		if a.Asked > 0 {
			taken = 100 * float64(a.Took) / float64(a.Asked)
		}
		out = append(out, Sample{
			Subject: a.Channel + " " + a.Version, Value: taken, Threshold: p["taken_percent"],
			Bad: float64(a.Asked) >= p["min_asked"] && taken < p["taken_percent"] && float64(f.Now-a.ReleasedAt) >= p["grace_hours"]*hourMS,
			Summary: fmt.Sprintf("%s on %s: %d installs after %d offers in %g h, below %g %%",
				a.Version, a.Channel, a.Took, a.Asked, p["hours"], p["taken_percent"]),
		})
	}
	return out
}

func noCheckins(f *Facts, p params) []Sample {
	usual := Median(f.Checks.Past)
	left := math.Floor(usual * p["drop_percent"] / 100)
	s := Sample{
		Value: f.Checks.N, Threshold: left, Unknown: !f.Checks.Known,
		Bad:     usual >= p["min_expected"] && f.Checks.N <= left,
		Summary: fmt.Sprintf("%.0f update checks in half an hour; %.0f are usual at this time", f.Checks.N, usual),
	}
	if usual < p["min_expected"] {
		s.Unknown = false // nothing is expected, so nothing is wrong
	}
	return []Sample{s}
}

// fresh reports whether something happened within the last hours.
func fresh(at, now int64, hours float64) bool {
	return at > 0 && float64(now-at) < hours*hourMS
}

// cut shortens what a device said.
func cut(title string) string {
	const most = 120
	n := 0
	for i := range title {
		if n++; n > most {
			return title[:i] + "…"
		}
	}
	return title
}

func errorNew(f *Facts, p params) []Sample {
	var out []Sample
	for _, e := range f.Errors {
		out = append(out, Sample{
			Subject: e.ID, Value: float64(e.Devices), Threshold: p["min_devices"],
			Bad:     float64(e.Devices) >= p["min_devices"] && fresh(e.FirstSeen, f.Now, p["hours"]),
			Summary: fmt.Sprintf("new error on %d devices of %s: %s", e.Devices, e.Version, cut(e.Title)),
		})
	}
	return out
}

func errorRegressed(f *Facts, p params) []Sample {
	var out []Sample
	for _, e := range f.Errors {
		out = append(out, Sample{
			Subject: e.ID, Value: float64(e.Devices), Threshold: 1, Bad: fresh(e.RegressedAt, f.Now, p["hours"]),
			Summary: fmt.Sprintf("an error that was resolved is back in %s: %s", e.Version, cut(e.Title)),
		})
	}
	return out
}

func keyMismatch(f *Facts, p params) []Sample {
	limit := Bound(f.Mismatch.Past, p["z"], p["min_count"])
	share := 0.0
	if f.Asked > 0 {
		share = 100 * f.Mismatch.N / f.Asked
	}
	return []Sample{{
		Value: f.Mismatch.N, Threshold: limit,
		Bad:     f.Mismatch.N > limit && share >= p["share_percent"],
		Summary: fmt.Sprintf("%.0f checks in 15 minutes (%.1f %% of all) were refused because devices have another key; %.0f are the limit", f.Mismatch.N, share, limit),
	}}
}

func switching(f *Facts, p params) []Sample {
	limit := Bound(f.Switched.Past, p["z"], p["min_count"])
	return []Sample{{
		Value: f.Switched.N, Threshold: limit, Bad: f.Switched.N > limit, Unknown: !f.Switched.Known,
		Summary: fmt.Sprintf("devices chose a channel %.0f times in 15 minutes; %.0f are the limit", f.Switched.N, limit),
	}}
}

func forged(f *Facts, p params) []Sample {
	var out []Sample
	for _, n := range f.Networks {
		share := 100 * float64(n.Devices) / math.Max(1, float64(f.Reported))
		if float64(n.Devices) < p["network_devices"] || share < p["network_percent"] {
			continue
		}
		out = append(out, Sample{
			Subject: "network " + n.Name, Value: float64(n.Devices), Threshold: p["network_devices"], Bad: true,
			Summary: fmt.Sprintf("%d devices (%.0f %% of all that reported) came from one network in 15 minutes", n.Devices, share),
		})
	}
	for _, s := range []struct {
		subject, what string
		u             Usual
	}{
		{"versions", "reports of versions that the app never had", f.Unknown},
		{"sequences", "reports of states that a device cannot come to that way", f.Odd},
	} {
		limit := Bound(s.u.Past, p["z"], p["min_count"])
		out = append(out, Sample{
			Subject: s.subject, Value: s.u.N, Threshold: limit, Bad: s.u.N > limit, Unknown: !s.u.Known,
			Summary: fmt.Sprintf("%.0f %s in 15 minutes; %.0f are the limit", s.u.N, s.what, limit),
		})
	}
	return out
}

func guardHalt(f *Facts, p params) []Sample {
	var out []Sample
	for _, h := range f.Halts {
		s := Sample{Subject: h.Channel, Value: 1, Threshold: 1, Bad: !h.Over && fresh(h.At, f.Now, p["hours"])}
		s.Summary = "the server halted a release on " + h.Channel
		if h.Version != "" {
			s.Summary = fmt.Sprintf("the server halted %s on %s", h.Version, h.Channel)
		}
		if h.Left {
			s.Summary = fmt.Sprintf("the guard finds %s on %s worse and left it in service", h.Version, h.Channel)
		}
		if h.Reason != "" {
			s.Summary += ": " + h.Reason
		}
		out = append(out, s)
	}
	return out
}

func metadataExpiry(f *Facts, p params) []Sample {
	const day = 24 * 3_600_000
	var out []Sample
	for _, r := range f.Metadata {
		days := p["days"]
		if r.Name == ota.TrustRoleStaging {
			days = p["staging_days"]
		}
		left := float64(r.ExpiresAt-f.Now) / day
		s := Sample{Subject: r.Name, Value: left, Threshold: days, Bad: left <= days}
		s.Summary = fmt.Sprintf("the %s metadata of sealed updates expires in %.0f days: sign it anew with waxwing trust renew", r.Name, left)
		if left <= 0 {
			s.Summary = fmt.Sprintf("the %s metadata of sealed updates has expired: devices take nothing new", r.Name)
		}
		out = append(out, s)
	}
	return out
}
