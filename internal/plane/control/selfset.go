package control

import (
	"context"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// SetSelfChannel binds a device to a channel at its own wish: plugins that
// cannot keep their choice ask the server to. A channel that is the default
// anyway needs no binding.
// Source: shared server notes, A.6.
func (s *Service) SetSelfChannel(ctx context.Context, app string, id ota.DeviceID, channel string) error {
	if err := s.mayChoose(ctx, app, id); err != nil {
		return err
	}
	ch, err := findChannel(ctx, s.store, app, channel)
	if err != nil {
		return err
	}
	if !ch.Policy.AllowSelfSet {
		code := CodeSelfSet
		if ch.Policy.Public {
			code = CodeSelfSetPublic
		}
		return ota.Errorf(ota.KindForbidden, code, "devices may not choose channel %q", channel)
	}
	actor := ota.Actor("device:" + id.String())
	if ch.Policy.Public {
		return s.unbind(ctx, actor, app, id)
	}
	return s.bind(ctx, actor, app, id, channel, Override{SelfSet: true})
}

// ClearSelfChannel takes a device's own choice back.
func (s *Service) ClearSelfChannel(ctx context.Context, app string, id ota.DeviceID) error {
	if _, err := s.store.App(ctx, app); err != nil {
		return err
	}
	if _, err := s.store.Override(ctx, app, id); ota.KindOf(err) == ota.KindNotFound {
		return cannotOverride("this device chose no channel")
	} else if err != nil {
		return err
	}
	if err := s.mayChoose(ctx, app, id); err != nil {
		return err
	}
	return s.unbind(ctx, ota.Actor("device:"+id.String()), app, id)
}

// mayChoose refuses a device that is bound to a channel it may not choose
// itself: an operator put it there.
func (s *Service) mayChoose(ctx context.Context, app string, id ota.DeviceID) error {
	o, err := s.store.Override(ctx, app, id)
	if ota.KindOf(err) == ota.KindNotFound {
		return nil
	}
	if err != nil {
		return err
	}
	channels, err := s.store.Channels(ctx, app)
	if err != nil {
		return err
	}
	for _, ch := range channels {
		if ch.ID == o.ChannelID && !ch.Policy.AllowSelfSet {
			return cannotOverride("an operator bound this device to a channel")
		}
	}
	return nil
}

func cannotOverride(msg string) error {
	return ota.Errorf(ota.KindForbidden, CodeCannotOverride, "%s", msg)
}
