package capgo

import (
	"net/http"
	"slices"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/semver"
	"github.com/waxwing-ota/waxwing/internal/plane/ingest"
)

// channel answers /channel_self: GET lists, POST sets, PUT gets, DELETE unsets.
// The Electron client uses GET and POST for all four, told apart by "action".
func (h *handler) channel(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodOptions {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	in, e := h.channelRequest(r)
	if e != nil {
		e.send(w)
		return
	}
	app := h.Apps.App(in.AppID)
	if app == nil {
		h.noApp(w)
		return
	}
	c := caller{
		h: h, r: r, app: app, in: in, check: in.check(), facts: app.Facts(in.id),
		keeps: in.PluginVersion == "" || decide.StoresChannel(in.plugin),
	}
	electron := in.Platform == decide.Electron
	var answer any
	action := ""
	switch {
	case r.Method == http.MethodGet && electron && in.Action != "list":
		answer, action = electronGet(c.get()), "getChannel"
	case r.Method == http.MethodGet && electron:
		answer = object{"status": "ok", "channels": c.list()}
	case r.Method == http.MethodGet:
		answer = c.list()
	case r.Method == http.MethodPut:
		answer, action = c.get(), "getChannel"
	case r.Method == http.MethodPost && (!electron || in.Action != "unset"):
		answer, action = c.set(), "setChannel"
	default:
		answer = c.unset()
	}
	h.noteCall(r, app, in, action)
	send(w, http.StatusOK, answer)
}

func (h *handler) channelRequest(r *http.Request) (*info, *rejected) {
	switch r.Method {
	case http.MethodGet:
		q := r.URL.Query()
		if q.Get("platform") == decide.Electron && q.Get("action") != "list" {
			return parseFields(fromQuery(q), routeQuery)
		}
		return parseFields(fromQuery(q), routeList)
	case http.MethodDelete:
		if r.ContentLength == 0 || r.URL.RawQuery != "" { // the device's fields are in either
			return parseFields(fromQuery(r.URL.Query()), routeQuery)
		}
	case http.MethodPost, http.MethodPut:
	default:
		return nil, &rejected{status: http.StatusMethodNotAllowed, code: "method_not_allowed", msg: "This address does not take the method"}
	}
	body, free, e := h.read(r, h.Limits.Check)
	defer free()
	if e != nil {
		return nil, e
	}
	return parse(body, routeChannel)
}

// noteCall keeps the device's record current, and an event of what it asked for.
func (h *handler) noteCall(r *http.Request, app *decide.App, in *info, action string) {
	if in.id == (ota.DeviceID{}) {
		return
	}
	dev := in.device(app)
	h.Recorder.Offer(ingest.Seen{App: app.ID, Device: dev})
	if action == "" {
		return
	}
	ev := ota.Event{
		App: app.ID, Device: in.id, Action: action, Known: true, VersionName: dev.VersionName,
		VersionBuild: dev.VersionBuild, Platform: dev.Platform, PluginVersion: dev.PluginVersion,
	}
	c := in.check()
	if ch := decide.Attribute(app, &c); ch != nil {
		ev.Channel = ch.Name
	}
	if err := h.Recorder.Record(r.Context(), app.ID, []ingest.Report{{Device: dev, Event: ev}}); err != nil {
		h.Log.WarnContext(r.Context(), "a channel call was not recorded", "app", app.ID, "err", err) // the answer stands
	}
}

// caller is a device that asks about its channel.
type caller struct {
	h     *handler
	r     *http.Request
	app   *decide.App
	in    *info
	check decide.Check
	facts decide.Facts
	keeps bool // its plugin keeps the choice on the device
}

type listed struct {
	ID           int64  `json:"id"`
	Name         string `json:"name"`
	Public       bool   `json:"public"`
	AllowSelfSet bool   `json:"allow_self_set"`
}

// list returns the channels the device may choose, oldest first.
func (c *caller) list() []listed {
	out := []listed{}
	for _, ch := range c.app.Channels {
		p := &ch.Policy
		build := c.check.IsProd && p.AllowProd || !c.check.IsProd && p.AllowDev
		class := c.check.IsEmulator && p.AllowEmulator || !c.check.IsEmulator && p.AllowDevice
		if ch.Serves(c.check.Platform) && build && class && (p.Public || p.AllowSelfSet) {
			out = append(out, listed{ch.ID, ch.Name, p.Public, p.AllowSelfSet})
		}
	}
	slices.SortFunc(out, func(a, b listed) int { return int(a.ID - b.ID) })
	return out
}

// bound returns the channel the server binds the device to, or nil.
func (c *caller) bound() *decide.Channel {
	if c.facts.Override == 0 {
		return nil
	}
	return c.app.ChannelByID(c.facts.Override)
}

// get tells the device its channel. A plugin that keeps its choice stores the
// answer as its choice, so it must hear nothing but that, or the public channel.
func (c *caller) get() object {
	if c.keeps {
		if c.in.Channel != "" {
			return object{"channel": c.in.Channel, "status": "override", "allowSet": true}
		}
		return c.fallback(c.in.DefaultChannel)
	}
	if ch := c.bound(); ch != nil {
		return object{"channel": ch.Name, "status": "override", "allowSet": ch.Policy.AllowSelfSet}
	}
	if name := c.in.DefaultChannel; name != "" && c.app.ChannelByName(name) == nil {
		return c.refused("channel_not_found", "There is no such channel", name)
	}
	return c.fallback(c.in.DefaultChannel)
}

func (c *caller) fallback(name string) object {
	if name == "" {
		ch := c.app.PublicChannel(c.check.Platform)
		if ch == nil {
			return object{"error": "channel_not_found", "message": "No public channel serves the platform"}
		}
		name = ch.Name
	}
	return object{"channel": name, "status": "default"}
}

// electronGet spells the answer as the Electron client reads it.
func electronGet(o object) object {
	allow, ok := o["allowSet"]
	if !ok {
		allow = true
	}
	delete(o, "allowSet")
	o["allow_set"] = allow
	return o
}

// unsetKnown is the first plugin that reads "unset" in an answer to a set.
var unsetKnown = semver.Version{Major: 8, Minor: 42, Patch: 6}

// set lets the device choose a channel.
func (c *caller) set() object {
	name := c.in.Channel
	if name == "" {
		return object{"error": "missing_channel", "message": "No channel was named"}
	}
	if b := c.bound(); b != nil && !c.keeps && !b.Policy.AllowSelfSet {
		return object{"error": "cannot_override", "message": "The device is bound to a channel it may not leave"}
	}
	ch := c.app.ChannelByName(name)
	switch {
	case ch == nil:
		return c.refused("channel_not_found", "There is no such channel", name)
	case !ch.Policy.AllowSelfSet && ch.Policy.Public:
		return c.refused("public_channel_self_set_not_allowed", "This channel is the default; unset the device's choice to be on it", name)
	case !ch.Policy.AllowSelfSet:
		return c.refused("channel_self_set_not_allowed", "This channel does not allow self assignment", name)
	}
	public := c.app.PublicChannel(c.check.Platform)
	if c.keeps {
		o := object{"status": "ok", "allowSet": true}
		// Where the device goes without a choice there is nothing to remember. If
		// it names a channel now, its app may be built for that one, to which
		// forgetting would take it back.
		if ch == public && c.in.DefaultChannel == "" && semver.Compare(c.in.plugin, unsetKnown) >= 0 && c.in.Platform != decide.Electron {
			o["unset"] = true
		}
		return o
	}
	var err error
	switch b := c.bound(); {
	case ch == public && b != nil:
		err = c.h.Channels.ClearSelfChannel(c.r.Context(), c.app.ID, c.in.id)
	case ch == public || ch == b:
	default:
		err = c.h.Channels.SetSelfChannel(c.r.Context(), c.app.ID, c.in.id, name)
	}
	return c.stored(err)
}

// unset takes the device's choice back.
func (c *caller) unset() object {
	if c.keeps {
		return object{"status": "ok"}
	}
	if b := c.bound(); b == nil || !b.Policy.AllowSelfSet {
		return object{"error": "cannot_override", "message": "The device has no choice to take back"}
	}
	return c.stored(c.h.Channels.ClearSelfChannel(c.r.Context(), c.app.ID, c.in.id))
}

func (c *caller) stored(err error) object {
	if err == nil {
		return object{"status": "ok"}
	}
	code := "override_not_allowed"
	if ota.CodeOf(err) == "cannot_override" {
		code = "cannot_override"
	} else {
		c.h.Log.WarnContext(c.r.Context(), "a device's channel was not stored", "app", c.app.ID, "err", err)
	}
	return object{"error": code, "message": "The choice could not be stored"}
}

func (c *caller) refused(code, message, channel string) object {
	return object{"error": code, "message": message, "channel": channel, "app_id": c.app.ID}
}
