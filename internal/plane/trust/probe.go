package trust

import (
	"fmt"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/semver"
)

// Probe says in one step what the director would tell a device that describes
// itself so; none if the app has no sealed updates.
func (s *Service) Probe(app *decide.App, in ota.ProbeRequest) []decide.Step {
	v := s.view(app.ID)
	native, ok := semver.Native(in.Native)
	if v == nil || !ok {
		return nil
	}
	c := &decide.Check{
		Platform: in.Platform, Build: in.Native, Native: native, VersionBuild: native.String(), VersionName: in.Current,
		Plugin: plugin, IsProd: in.IsProd == nil || *in.IsProd, IsEmulator: in.IsEmulator, DefaultChannel: in.Channel, OS: in.OS,
		Sealed: &asker{view: v, proofs: s.proofs, now: s.nowMS(), floor: v.floor},
	}
	if c.VersionName == "" || c.VersionName == c.VersionBuild {
		c.VersionName = ota.Builtin
	}
	c.Device, _ = ota.ParseDeviceID(in.Device)
	if app.AllowCustomID {
		c.CustomID = in.CustomID
	}
	step := decide.Step{Rule: "sealed updates"}
	switch out := decide.Decide(app, c, nil); {
	case v.director == nil:
		step.Result, step.Detail = "stop", "trust.json names no director of this server"
	case out.Kind == decide.Update:
		m := v.byBundle[out.Bundle.ID]
		step.Result, step.Detail = "choose", fmt.Sprintf("the director would have it install %s (%s manifest %d)", m.Version, m.Class, m.Seq)
	case out.Kind == decide.Revert:
		step.Result, step.Detail = "choose", "the director would send it back to the bundle of the native app"
	default:
		step.Result, step.Detail = "stop", fmt.Sprintf("the director would let it stay: %s (%s)", out.Message, out.Code)
	}
	return []decide.Step{step}
}
