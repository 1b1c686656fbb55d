package guards

import (
	"context"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// CodeNotServed is the code of the error for a version that a channel does not serve.
const CodeNotServed = "version_not_served"

// Stop takes a version back because a person wants it: offers end at once, and
// if it cannot be recorded now, for example because the database is read-only,
// it is tried again until it is.
func (s *Service) Stop(ctx context.Context, actor ota.Actor, app, channel string, in ota.GuardHaltRequest) (ota.GuardHaltAnswer, error) {
	out := ota.GuardHaltAnswer{Version: in.Version, Action: in.Action}
	if in.Action != ota.HaltPause && in.Action != ota.HaltRollback {
		return out, ota.Invalid("halt_invalid", "the action cannot be %.50q", in.Action).WithField("action").WithHint("use pause or rollback")
	}
	if len(in.Reason) > 500 {
		return out, ota.Invalid("halt_invalid", "the reason is longer than 500 bytes").WithField("reason")
	}
	view := s.snap.App(app)
	if view == nil {
		return out, ota.NotFound("app_not_found", "there is no app %q", app)
	}
	ch := view.ChannelByName(channel)
	if ch == nil {
		return out, ota.NotFound("channel_not_found", "app %q has no channel %q", app, channel)
	}
	var full bool
	if out.Version, full = serving(ch, in.Version); out.Version == "" {
		return out, ota.Conflict(CodeNotServed, "channel %q does not serve %.100q", channel, in.Version).WithField("version").
			WithHint("leave the version out for what it serves now")
	}
	if in.Action == ota.HaltPause && full {
		return out, ota.Conflict("halt_invalid", "%s is served to everybody, which cannot be paused", out.Version).WithField("action").
			WithHint("use rollback")
	}
	text := in.Reason
	if text == "" {
		text = "halted by hand"
	}
	h := Halt{Actor: actor, App: app, Channel: channel, Version: out.Version, Action: in.Action, Text: text}
	var err error
	out.Recorded, err = s.Hold(ctx, h, func(ctx context.Context) error { return s.halt(ctx, h) })
	return out, err
}

// serving returns the version if the channel serves it, "" if not, and whether
// to everybody. Without one it is what the channel serves now.
func serving(ch *decide.Channel, version string) (string, bool) {
	if r := ch.Rollout; r != nil && r.Enabled && (version == "" || r.Bundle.Version == version) {
		return r.Bundle.Version, false
	}
	if len(ch.Chain) > 0 && ch.Chain[0].Bundle != nil && (version == "" || ch.Chain[0].Bundle.Version == version) {
		return ch.Chain[0].Bundle.Version, true
	}
	return "", false
}
