package capgo

import (
	"net/http"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/plane/ingest"
)

// unknownApp is the code for an app this server does not have.
const unknownApp = "on_premise_app"

// check answers POST /updates. Nothing here waits for anything.
func (h *handler) check(w http.ResponseWriter, r *http.Request) {
	body, free, e := h.read(r, h.Limits.Check)
	defer free()
	if e != nil {
		e.send(w)
		return
	}
	room := h.infos.Get().(*info)
	defer h.infos.Put(room)
	in, e := parseInto(room, body, routeCheck)
	if e != nil {
		e.send(w)
		return
	}
	app := h.Apps.App(in.AppID)
	if app == nil {
		h.noApp(w)
		return
	}
	in.asked = in.checkOf(app) // in a place that is used again: what targets look at would be made anew otherwise
	c := &in.asked
	out := decide.Decide(app, c, nil)
	seen := ingest.Seen{App: in.AppID, Device: in.device(app), Kind: out.Kind, Code: out.Code, Offered: out.Version}
	if out.Channel != nil {
		seen.Channel = out.Channel.Name
	}
	if seen.Rollout, seen.Arm = out.Rollout, out.Arm; out.Arm != decide.NoArm || out.Kind == decide.Update {
		seen.Network = network(&h.Networks, r.RemoteAddr)
	}
	h.Recorder.Offer(seen)
	if out.Code == decide.CodeNoNewVersion {
		out.Version = in.raw // as the device spells it: it compares
	}
	// The body was decoded and is not needed any more: its buffer holds the answer.
	reply(w, h.Edge.Answer(body, h.base(r), app, c, &out))
}

// noApp answers for an app that is not here. The reference server says 429,
// which makes older plugins stop all traffic until the app is started again.
func (h *handler) noApp(w http.ResponseWriter) {
	if h.Strict429 {
		w.Header().Set("Retry-After", "3600")
		fail(w, http.StatusTooManyRequests, unknownApp, "On-premise app detected")
		return
	}
	send(w, http.StatusOK, object{"error": unknownApp, "message": "This server has no such app", "kind": decide.Failed.String()})
}
