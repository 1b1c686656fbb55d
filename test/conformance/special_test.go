package conformance

import (
	"io"
	"maps"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/client"
	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/guard"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// skipped are cases that do not apply; none of them may be a required one.
var skipped = map[string]string{
	"upd-011":  "a performance gate of the reference server; a row is simply honoured here",
	"upd-013":  "a performance gate of the reference server; a manifest is simply sent here",
	"upd-015":  "the edge deployment of the reference server",
	"upd-078":  "cannot be reached: channel selection filters it before",
	"man-013":  "only for data imported from the reference server's storage",
	"man-015":  "only for data imported from the reference server's storage",
	"enum-003": "no limit by address: the answer tells no more than the app itself does",
	"enum-004": "no limit by address: the answer tells no more than the app itself does",
	"ovr-004":  "there is no second store to mirror to", "ovr-005": "there is no second store to mirror to",
	"ovr-007": "there is no second store to mirror to", "ovr-009": "there is no second store to mirror to",
	"ovr-011": "there is no second store to mirror to",
	"msz-002": "the case has a text where the body should be",
	"rol-006": "buckets are deterministic; nothing is drawn again",
	"rol-008": "buckets are deterministic; nothing is drawn again",
	"fil-012": "files are not read through another store",
	"rl-005":  "no rate limits yet", "rl-006": "no rate limits yet", "rl-008": "no rate limits yet",
}

// deviation is a case answered otherwise on purpose; docs/protocol.md says why.
type deviation struct {
	why    string
	status float64
	fields map[string]any
	header map[string]any
}

func (d *deviation) expect(e expect) expect {
	if d.status != 0 {
		e.Status = d.status
	}
	e.Fields, e.Headers = d.fields, d.header
	return e
}

func noApp() *deviation {
	return &deviation{
		"429 makes older plugins stop all traffic; the case itself holds with WAXWING_STRICT_429", 200,
		map[string]any{"error": "on_premise_app", "kind": "failed"},
		nil,
	}
}

func ownPath(fields map[string]any) *deviation {
	return &deviation{why: "file paths are ours to choose", fields: fields}
}

// foreignPath is for cases whose address is the reference server's; what they
// are about is checked below sideEffects, at ours.
var foreignPath = &deviation{why: "file paths are ours to choose", status: 404}

var deviations = map[string]*deviation{
	"upd-017": noApp(), "upd-036": noApp(),
	"upd-070": {"a device without the key is not given what it cannot open", 200, map[string]any{"error": "key_id_mismatch", "kind": "blocked", "url": map[string]any{"$absent": true}}, nil},
	"man-001": ownPath(map[string]any{"manifest": map[string]any{"$first": map[string]any{"file_name": "test", "file_hash": "1234567890", "download_url": map[string]any{"$contains": "/files/"}}}}),
	"chs-065": {"the platform's real public channel, not a literal", 200, map[string]any{"channel": "production", "status": "default"}, nil},
	"fil-002": {"a deleted app's files are not served", 404, map[string]any{"error": "not_found"}, nil},
	"fil-005": foreignPath, "fil-007": foreignPath, "fil-009": foreignPath,
	"fil-013": foreignPath, // and RFC 9110 says 416
	"cor-001": {why: "our own console's origin", status: 204, header: map[string]any{"access-control-allow-methods": map[string]any{"$contains": "POST"}}},
}

// before changes what is seeded where a case only says it in words.
var before = map[string]func(state map[string]any){
	"man-004": func(s map[string]any) { s["zip 1.0.0"] = false; s["manifest"] = oneFile() },
	"man-006": func(s map[string]any) { s["manifest"] = oneFile() },
	"upd-076": func(s map[string]any) { s["manifest"] = oneFile() },
}

func oneFile() []any {
	return []any{map[string]any{"file_name": "test", "file_hash": "1234567890"}}
}

// afterSeed does what a case only says in words, once the rest is there.
var afterSeed = map[string]func(w *world){
	"upd-004": func(w *world) {
		id, _ := ota.ParseDeviceID(caseDevice)
		w.must(nil, w.api.SetOverride(w.Context(), w.app, id, "beta"))
		w.must(nil, w.api.DeleteBundle(w.Context(), w.app, "1.361.0", true))
	},
	"sta-003": func(w *world) { w.bind("beta") },
	"chs-050": func(w *world) { w.bind("beta") },
	"ovr-002": func(w *world) {
		res, _ := w.send(request{
			Method: http.MethodPost, Path: "/channel_self", Base: "device",
			Overrides: map[string]any{"plugin_version": "7.33.0", "channel": "beta", "device_id": caseDevice},
		}, map[string]string{"app": w.app})
		if res.StatusCode != http.StatusOK {
			w.Fatal("an old plugin could not choose its channel")
		}
	},
	"fil-002": func(w *world) { w.must(nil, w.api.DeleteApp(w.Context(), w.app)) },
}

func (w *world) bind(channel string) {
	w.Helper()
	id, _ := ota.ParseDeviceID(caseDevice)
	w.must(nil, w.api.SetOverride(w.Context(), w.app, id, channel))
}

// runDecision runs the cases that are about a decision and not about HTTP.
func runDecision(t *testing.T, c testCase) {
	in := c.Request.Input
	num := func(key string) int { f, _ := in[key].(float64); return int(f) }
	got := map[string]any{}
	switch c.Request.Decision {
	case "rollout":
		r := ota.Rollout{ID: "r1", Version: "2.0.0", BPS: num("bps"), Enabled: in["enabled"] != false}
		if in["paused"] == true {
			r.PausedAt = 1
		}
		got["selected"], got["reason"] = selectRollout(r, in["on_target"] == true)
	case "auto_pause":
		rule := ota.AutoHalt{Enabled: in["enabled"] == true, FailureRateBPS: num("threshold_bps"), Confidence: 0.95, CooldownMinutes: num("cooldown")}
		const now = int64(100_000_000)
		if m, ok := in["last_trigger_minutes_ago"].(float64); ok {
			rule.LastTriggeredAt = now - int64(m)*60_000
		}
		v := guard.Judge(rule, guard.Counts{Attempts: num("failures") + num("installs"), Failures: num("failures")}, now)
		got["trigger"], got["reason"] = v.Trigger, v.Reason
	default:
		t.Fatalf("unknown decision %q", c.Request.Decision)
	}
	want := map[string]any{}
	maps.Copy(want, c.Expect.Fields)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// selectRollout asks the whole decision and reads what it says of the rollout.
func selectRollout(r ota.Rollout, onTarget bool) (bool, string) {
	bundle := func(id int64, version string) *decide.Bundle {
		b := &decide.Bundle{ID: id, Version: version}
		b.Semver.Major = uint64(id)
		b.Variants = []*decide.Variant{{Bundle: b, Variant: ota.Variant{ExternalURL: "https://example.com/x.zip"}}}
		return b
	}
	policy := ota.DefaultPolicy()
	policy.Public, policy.Strategy = true, ota.StrategyNone
	app := &decide.App{ID: "com.test.rollout", Channels: []*decide.Channel{{
		ID: 1, Name: "production", Policy: policy,
		Chain:   []decide.Release{{ID: 1, Bundle: bundle(1, "1.0.0")}},
		Rollout: &decide.Rollout{ID: r.ID, Bundle: bundle(2, r.Version), BPS: r.BPS, Enabled: r.Enabled, Paused: r.PausedAt > 0},
	}}}
	c := decide.Check{Platform: decide.Android, VersionName: "1.0.0", VersionBuild: "0.9.0", IsProd: true}
	c.Plugin.Major = 8
	if onTarget {
		c.VersionName = r.Version
	}
	var trace decide.Trace
	out := decide.Decide(app, &c, &trace)
	for _, step := range trace.Steps {
		if step.Rule == "rollout" {
			return out.OfRollout(), reasonIn(step.Detail)
		}
	}
	return out.OfRollout(), ""
}

// sideEffects check what a case says happens besides the answer.
var sideEffects = map[string]func(w *world){
	"upd-014": func(w *world) { w.wantDevice(func(d ota.Device) any { return d.VersionName }, "1.0.0-get.1") },
	"upd-053": func(w *world) { w.wantDevice(func(d ota.Device) any { return d.DefaultChannel }, "staging") },
	"key-001": func(w *world) { w.wantDevice(keyOf, "") },
	"key-002": func(w *world) { w.wantDevice(keyOf, "MIIB") },
	"key-005": func(w *world) { w.wantDevice(keyOf, "") },
	"key-008": func(w *world) { w.wantDevice(keyOf, "") },
	"key-009": func(w *world) { w.wantDevice(keyOf, "CHAN") },
	"sta-001": func(w *world) {
		w.wantDevice(func(d ota.Device) any { return d.VersionName + " " + d.InstallSource }, "1.0.0-set.1 app_store")
		w.wantEvents("set", 1)
	},
	"sta-002": func(w *world) {
		if _, err := w.device(caseDevice); ota.KindOf(err) != ota.KindNotFound || err == nil {
			w.Errorf("a device was made of a rejected event: %v", err)
		}
	},
	"sta-003": func(w *world) { w.wantChannel("beta") },
	"sta-004": func(w *world) { w.wantChannel("production") },
	"sta-005": func(w *world) {
		want := map[string]string{"error_type": "javascript_error", "message": "boom", "href": "capacitor://localhost/index.html"}
		if diff := cmp.Diff(want, w.events(client.EventFilter{})[0].Metadata); diff != "" {
			w.Errorf("metadata (-want +got):\n%s", diff)
		}
	},
	"sta-006": func(w *world) {
		w.wantEvents("set", 1) // kept, although it names no bundle
		if _, err := w.api.Bundle(w.Context(), w.app, "unknown"); ota.KindOf(err) != ota.KindNotFound {
			w.Errorf("a placeholder bundle appeared: %v", err)
		}
	},
	"sta-007": func(w *world) {
		w.wantDevice(func(d ota.Device) any { return d.CustomID }, "")
		w.wantEvents("customIdBlocked", 1)
	},
	"sta-008": func(w *world) { w.wantDevice(func(d ota.Device) any { return d.CustomID }, "TRIM-ME") },
	"sta-009": func(w *world) {
		w.wantDevice(func(d ota.Device) any { return d.CustomID }, "")
		w.wantEvents("customIdBlocked", 1)
	},
	"sta-011": func(w *world) { w.wantCounted(false) },
	"sta-014": func(w *world) { w.wantCounted(false) },
	"sta-015": func(w *world) { w.wantCounted(true) },
	"sta-020": func(w *world) { w.wantDevice(func(d ota.Device) any { return d.DefaultChannel }, "production") },
	"sta-021": func(w *world) { w.wantDevice(func(d ota.Device) any { return d.DefaultChannel }, "") },
	"sta-031": func(w *world) {
		w.wantEvents("get", 1)
		w.wantEvents("invalid_action_xyz", 1) // kept, although the answer calls it an error
	},
	"sta-034": func(w *world) { w.wantEvents("get", 1); w.wantEvents("set", 1) },
	"sta-055": func(w *world) { w.wantName("1.0.0:main.js") },
	"sta-056": func(w *world) { w.wantName("1.0.0:main.js") },
	"sta-057": func(w *world) { w.wantName("1.0.0:assets/logo.png") },
	"sta-064": func(w *world) { w.wantName("1.0.0:") },
	"sta-065": func(w *world) { w.wantEvents("download_manifest_file_fail", 3) },
	"chs-040": func(w *world) { w.wantDevice(func(d ota.Device) any { return d.Override }, "beta") },
	"chs-050": func(w *world) { w.wantDevice(func(d ota.Device) any { return d.Override }, "beta") },
	"chs-054": func(w *world) { w.wantDevice(func(d ota.Device) any { return d.DefaultChannel }, "beta") },
	"ovr-002": func(w *world) {
		if ch, err := w.api.Channel(w.Context(), w.app, "beta"); err != nil || ch.Name != "beta" {
			w.Error("beta is gone")
		}
	},
	"fil-005": func(w *world) { w.breakBlob("zip of 1.0.0"); w.wantDownload("", http.StatusServiceUnavailable, "", "") },
	"fil-007": func(w *world) {
		w.wantDownload("", http.StatusOK, "12", "")
		w.wantTraffic(12)
	},
	"fil-009": func(w *world) {
		w.wantDownload("bytes=0-4", http.StatusPartialContent, "5", "bytes 0-4/12")
		w.wantTraffic(5)
	},
	"fil-013": func(w *world) {
		w.wantDownload("bytes=99999999-", http.StatusRequestedRangeNotSatisfiable, "", "bytes */12")
	},
}

func keyOf(d ota.Device) any { return d.KeyID }

func (w *world) wantDevice(field func(ota.Device) any, want any) {
	w.Helper()
	d, err := w.device(caseDevice)
	if err != nil || field(d) != want {
		w.Errorf("device: got %v (%v), want %v", field(d), err, want)
	}
}

func (w *world) wantEvents(action string, want int) {
	w.Helper()
	if got := len(w.events(client.EventFilter{Action: action})); got != want {
		w.Errorf("%d events %q, want %d", got, action, want)
	}
}

func (w *world) wantChannel(want string) {
	w.Helper()
	if got := w.events(client.EventFilter{Action: "set"})[0].Channel; got != want {
		w.Errorf("attributed to %q, want %q", got, want)
	}
}

func (w *world) wantCounted(want bool) {
	w.Helper()
	if got := w.events(client.EventFilter{Action: "download_fail"})[0].Counted; got != want {
		w.Errorf("counted %v, want %v", got, want)
	}
}

func (w *world) wantName(want string) {
	w.Helper()
	if got := w.events(client.EventFilter{})[0].VersionName; got != want {
		w.Errorf("stored as %q, want %q", got, want)
	}
}

// wantDownload fetches the zip of 1.0.0 ("zip of 1.0.0", 12 bytes) as a device would.
func (w *world) wantDownload(rng string, status int, length, contentRange string) {
	w.Helper()
	_, doc := w.send(request{Method: http.MethodPost, Path: "/updates", Base: "device", Body: map[string]any{"version_name": "1.1.0", "device_id": caseDevice}}, map[string]string{"app": w.app})
	link, _ := at(doc, "url")
	headers := map[string]string{}
	if rng != "" {
		headers["Range"] = rng
	}
	res := w.get(link.(string)+"&device_id="+caseDevice, headers)
	_, _ = io.Copy(io.Discard, res.Body)
	res.Body.Close()
	if res.StatusCode != status || length != "" && res.Header.Get("Content-Length") != length || res.Header.Get("Content-Range") != contentRange {
		w.Errorf("download %q: %d, length %s, range %q", rng, res.StatusCode, res.Header.Get("Content-Length"), res.Header.Get("Content-Range"))
	}
}

// wantTraffic waits until the bytes of one download are counted for the case's
// device: the server counts them once they are sent, which the one who got them
// cannot see.
func (w *world) wantTraffic(bytes int64) {
	w.Helper()
	id, _ := ota.ParseDeviceID(caseDevice)
	var got []ota.Traffic
	for range 1000 {
		var err error
		if got, err = w.api.Traffic(w.Context(), w.app, &id, 1); err != nil {
			w.Fatal(err)
		}
		if len(got) > 0 {
			break
		}
	}
	if len(got) != 1 || got[0].Bytes != bytes || got[0].Downloads != 1 {
		w.Errorf("traffic of the device: %+v, want one download of %d bytes", got, bytes)
	}
}
