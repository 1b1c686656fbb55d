package capgo

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/ingest"
)

// maxBatch is the most events of one request; the plugins keep at most 200.
const maxBatch = 1000

// stats answers POST /stats. Everything that can be stored is stored, durably,
// before the answer, also what is then answered with an error.
func (h *handler) stats(w http.ResponseWriter, r *http.Request) {
	body, free, e := h.read(r, h.Limits.Stats)
	defer free()
	if e != nil {
		e.send(w)
		return
	}
	trimmed := bytes.TrimLeft(body, " \t\r\n")
	if len(trimmed) == 0 || trimmed[0] != '[' {
		h.oneEvent(w, r, body)
		return
	}
	var items []json.RawMessage
	if err := json.Unmarshal(trimmed, &items); err != nil {
		bad("invalid_json_parse_body", "The body is not JSON").send(w)
		return
	}
	if len(items) > maxBatch {
		(&rejected{status: http.StatusRequestEntityTooLarge, code: "batch_too_large", msg: "More events than are taken at once"}).send(w)
		return
	}
	h.manyEvents(w, r, items)
}

func (h *handler) oneEvent(w http.ResponseWriter, r *http.Request, body []byte) {
	in, e := parse(body, routeStats)
	if e != nil {
		if e.code == "missing_app_id" || wrongApp(e) {
			e = bad("invalid_app_id", "The app id is missing or malformed")
		}
		e.send(w)
		return
	}
	app := h.Apps.App(in.AppID)
	if app == nil {
		h.noApp(w)
		return
	}
	var reports batch
	problem := reports.add(app, in)
	if !h.record(w, r, app.ID, reports) {
		return
	}
	if problem != nil && problem["error"] != unknownAction {
		send(w, http.StatusOK, problem)
		return
	}
	write(w, http.StatusOK, statusOK)
}

// wrongApp reports whether the app id is (first) at fault.
func wrongApp(e *rejected) bool { return len(e.issues) > 0 && e.issues[0].Path[0] == "app_id" }

func (h *handler) manyEvents(w http.ResponseWriter, r *http.Request, items []json.RawMessage) {
	results := make([]object, len(items))
	if len(items) == 0 {
		send(w, http.StatusOK, object{"status": "ok", "results": results})
		return
	}
	first, e := appOf(items)
	if e != nil {
		if h.salvage(w, r, items) {
			e.send(w)
		}
		return
	}
	app := h.Apps.App(first)
	if app == nil && h.Strict429 {
		h.noApp(w)
		return
	}
	var reports batch
	for i, raw := range items {
		results[i] = object{"status": "ok", "index": i}
		var problem object
		switch in, e := parse(raw, routeStats); {
		case e != nil:
			problem = e.body()
		case app == nil:
			problem = object{"error": unknownApp, "message": "This server has no such app"}
		default:
			problem = reports.add(app, in)
		}
		if problem != nil {
			results[i] = entryError(problem, i)
		}
	}
	if app != nil && !h.record(w, r, app.ID, reports) {
		return
	}
	send(w, http.StatusOK, object{"status": "ok", "results": results})
}

// appOf returns the one app that all events of a batch are of.
func appOf(items []json.RawMessage) (string, *rejected) {
	first := ""
	for i, raw := range items {
		var of struct {
			AppID any `json:"app_id"`
		}
		_ = json.Unmarshal(raw, &of) // what is no object has no app id
		id, _ := of.AppID.(string)
		switch {
		case ota.CheckAppID(id) != nil && i == 0:
			return "", bad("invalid_app_id", "The app id is missing or malformed")
		case ota.CheckAppID(id) != nil:
			return "", &rejected{status: http.StatusOK, code: "invalid_app_id", msg: "An app id is missing or malformed"}
		case i > 0 && id != first:
			return "", &rejected{status: http.StatusOK, code: "mixed_app_ids", msg: "The events are of different apps"}
		}
		first = id
	}
	return first, nil
}

// entryError is the result of one event; what is not the common part goes below moreInfo.
func entryError(problem object, i int) object {
	o := object{"status": "error", "index": i}
	more := object{}
	for k, v := range problem {
		switch k {
		case "error", "message", "moreInfo":
			o[k] = v
		default:
			more[k] = v
		}
	}
	if len(more) > 0 {
		o["moreInfo"] = more
	}
	return o
}

// salvage stores what can be stored of a batch that is refused as a whole,
// because the plugins drop it after that answer. It returns as record does.
func (h *handler) salvage(w http.ResponseWriter, r *http.Request, items []json.RawMessage) bool {
	batches := map[string]*batch{}
	for _, raw := range items {
		in, e := parse(raw, routeStats)
		if e != nil {
			continue
		}
		app := h.Apps.App(in.AppID)
		if app == nil {
			continue
		}
		if batches[app.ID] == nil {
			batches[app.ID] = new(batch)
		}
		batches[app.ID].add(app, in)
	}
	for app, b := range batches {
		if !h.record(w, r, app, *b) {
			return false
		}
	}
	return true
}

// record stores reports; false means the answer was given, since they are not stored.
func (h *handler) record(w http.ResponseWriter, r *http.Request, app string, reports batch) bool {
	from := network(&h.Networks, r.RemoteAddr)
	for i := range reports {
		reports[i].Network = from
	}
	for some := range slices.Chunk(reports, ingest.MaxReports) {
		err := h.Recorder.Record(r.Context(), app, some)
		switch {
		case err == nil:
			continue
		case ota.KindOf(err) == ota.KindNotFound: // deleted meanwhile
			h.noApp(w)
		default:
			h.Log.WarnContext(r.Context(), "events were not stored", "app", app, "err", err)
			// Not too_many_requests, to which the plugins answer with an event more.
			retryLater(w, "events_not_stored", "Events cannot be stored right now", 15)
		}
		return false
	}
	return true
}

// unknownAction is told of an action nobody classified; the event is stored.
const unknownAction = "unknown_action"

// batch is what is stored of the events of one request and app.
type batch []ingest.Report

// The bounds, in bytes, of what is kept of an event's own texts.
const (
	maxAction = 100
	maxName   = 1200 // "version:path of a file"
)

// add puts what is stored of one event to the batch, and returns what the
// device is told besides "ok", if anything.
func (b *batch) add(app *decide.App, in *info) object {
	c := in.check()
	dev := in.device(app)
	ev := ota.Event{
		App: app.ID, Device: in.id, Action: clip(in.Action, maxAction), VersionName: clip(in.VersionName, maxName),
		OldVersionName: clip(in.OldVersionName, maxName), VersionBuild: dev.VersionBuild, Platform: dev.Platform,
		PluginVersion: dev.PluginVersion, Timestamp: max(in.Timestamp, 0), Metadata: in.Metadata, Known: known[in.Action],
	}
	if ch := decide.Attribute(app, &c); ch != nil {
		ev.Channel = ch.Name
	}
	stale := in.Action == "download_fail" && !decide.CountsDownloadFail(in.plugin)
	ev.Counted = ev.Known && !stale
	*b = append(*b, ingest.Report{Device: dev, Event: ev})
	if !app.AllowCustomID && strings.TrimSpace(in.CustomID) != "" && !b.has(in.id, customIDBlocked) {
		ev.Action, ev.Known, ev.Counted, ev.Metadata = customIDBlocked, true, false, nil
		*b = append(*b, ingest.Report{Device: dev, Event: ev})
	}
	switch {
	case !known[in.Action] && in.Action != "":
		return object{"error": unknownAction, "message": "The action is not one this server knows; the event is kept"}
	case !stale && !in.namesBundle(app):
		return object{
			"error": "version_not_found", "message": "No bundle has this version name; the event is kept",
			"app_id": app.ID, "version_name": in.VersionName,
		}
	}
	return nil
}

// customIDBlocked is the action of the event that says a name which a device
// gave itself was dropped; once in a request is enough.
const customIDBlocked = "customIdBlocked"

func (b *batch) has(id ota.DeviceID, action string) bool {
	return slices.ContainsFunc(*b, func(r ingest.Report) bool { return r.Event.Device == id && r.Event.Action == action })
}

// namesBundle reports whether the event is about a bundle that exists: one of
// the app's, or the built-in one, which newer plugins call by the native version.
func (in *info) namesBundle(app *decide.App) bool {
	if in.raw == "" || in.raw == ota.Builtin || app.Versions == nil {
		return true
	}
	if decide.NamesBuiltinNatively(in.plugin) && (in.raw == in.build || in.raw == in.VersionBuild) {
		return true
	}
	version := in.VersionName
	if i := strings.IndexByte(version, ':'); i > 0 {
		version = version[:i] // "version:path", about one file
	}
	return app.Versions.Has(version)
}
