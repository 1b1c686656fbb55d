package decide

// choose finds the device's channel: an override first, then the channel the
// device names, then the public one of its platform. A named channel that is
// not open to the device does not fall back, so that nobody is moved to
// production by a typing error.
func choose(app *App, c *Check, facts *Facts, t *Trace) *Channel {
	if ch := app.override(c, facts, t); ch != nil {
		return ch
	}
	if c.DefaultChannel != "" {
		ch := app.ChannelByName(c.DefaultChannel)
		ok := ch != nil && ch.Selectable() && ch.Serves(c.Platform) && (ch.Policy.Public || ch.Policy.AllowSelfSet)
		if t != nil {
			if ok {
				t.add("channel.named", "choose", "the device asks for %q, which is open to it", c.DefaultChannel)
			} else {
				t.add("channel.named", "stop", "the device asks for %q, which does not exist or is not open to it", c.DefaultChannel)
			}
		}
		if !ok {
			return nil
		}
		return ch
	}
	ch := app.PublicChannel(c.Platform)
	if t != nil {
		if ch != nil {
			t.add("channel.public", "choose", "%q is the public channel for %s", ch.Name, c.Platform)
		} else {
			t.add("channel.public", "stop", "no public channel serves %s", c.Platform)
		}
	}
	return ch
}

func (a *App) override(c *Check, facts *Facts, t *Trace) *Channel {
	if facts.Override == 0 {
		return nil
	}
	ch := a.ChannelByID(facts.Override)
	var skip string
	switch {
	case ch == nil:
		skip = "its channel is gone"
	case !ch.Selectable():
		skip = "its channel's bundle was deleted"
	case facts.SelfSet && StoresChannel(c.Plugin):
		skip = "the device chose it with an older plugin; this one names its channel itself"
	}
	if t != nil {
		if skip != "" {
			t.add("channel.override", "skip", "%s", skip)
		} else {
			t.add("channel.override", "choose", "the device is bound to %q", ch.Name)
		}
	}
	if skip != "" {
		return nil
	}
	return ch
}

// PublicChannel returns the channel for devices of the platform that name none, or nil.
func (a *App) PublicChannel(platform string) *Channel {
	for _, c := range a.Channels {
		if c.Policy.Public && c.Serves(platform) && c.Selectable() {
			return c
		}
	}
	return nil
}

// Attribute returns the channel a device belongs to, by the same rules as a
// decision, or nil.
func Attribute(app *App, c *Check) *Channel {
	facts := app.Facts(c.Device)
	return choose(app, c, &facts, nil)
}
