package browser

import (
	"bytes"
	_ "embed"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/demo"
	"github.com/waxwing-ota/waxwing/internal/testkit/browser"
)

//go:embed testdata/hostile.json
var corpus []byte

// payload is what a device might say to harm who reads it.
type payload struct{ Kind, Text string }

func payloads(t *testing.T) []payload {
	t.Helper()
	var out []payload
	if err := json.Unmarshal(corpus, &out); err != nil || len(out) < 40 {
		t.Fatalf("%d payloads, %v", len(out), err)
	}
	return out
}

// said are the fields of texts that devices fill.
var said = []string{
	"platform", "version_name", "version_build", "version_code", "version_os", "plugin_version", "custom_id", "install_source",
	"channel", "defaultChannel", "key_id", "action", "old_version_name", "metadata key", "metadata value",
}

func plainBody(device string) map[string]any {
	return map[string]any{
		"app_id": demo.App, "device_id": device, "platform": "android", "version_name": "1.0.0", "version_build": "0.9.0", "version_code": "90",
		"version_os": "15", "plugin_version": "7.20.0", "is_prod": true, "is_emulator": false, "defaultChannel": "", "action": "set",
	}
}

func put(body map[string]any, field, text string) {
	switch field {
	case "metadata key":
		body["metadata"] = map[string]string{text: "x"}
	case "metadata value":
		body["metadata"] = map[string]string{"error": text}
	default:
		body[field] = text
	}
}

func hostileID(i int) string { return fmt.Sprintf("0b000000-0000-4000-8000-%012x", i) }

// speak says a payload in every field on its own, to every address that devices
// have, then in all fields at once that were taken.
func (w *world) speak(i int, text string) (taken int) {
	w.t.Helper()
	all := plainBody(hostileID(i))
	batch := []map[string]any{}
	for _, field := range said {
		body := plainBody(hostileID(i))
		put(body, field, text)
		batch = append(batch, body)
		if !strings.Contains(w.send(http.MethodPost, "/updates", body), `"invalid`) {
			put(all, field, text)
			taken++
		}
	}
	w.send(http.MethodPost, "/stats", batch)
	w.send(http.MethodPost, "/updates", all)
	w.send(http.MethodPost, "/stats", all)
	wrong := plainBody(hostileID(i))
	wrong["action"] = "webview_javascript_error"
	wrong["metadata"] = map[string]string{
		"error_type": text, "message": text, "source": text, text: text,
		"stack": text + "\n    at " + text + " (https://localhost/" + text + ":1:1)\n" + text + "@" + text + "/x.js:1:1",
	}
	w.send(http.MethodPost, "/stats", wrong)
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete} {
		w.send(method, "/channel_self", all)
	}
	return taken
}

// send sends what a device sends and returns the answer, which is never a fault
// of the server.
func (w *world) send(method, path string, body any) string {
	w.t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		w.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(w.t.Context(), method, w.URL+path, bytes.NewReader(raw))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode >= 500 {
		w.t.Fatalf("%s %s: %s, %v: %s", method, path, res.Status, err, answer)
	}
	return string(answer)
}

// harm says what a page has that only a device can have put there.
const harm = `(() => {
	if ("pwned" in window) return "a script ran";
	const bad = document.querySelector("main script:not([src]), main style, main iframe, main base, main meta, main math, main img, main svg animate, main noscript p, main [srcdoc], main form[action*=evil], main a[href^='javascript:']");
	if (bad) return "an element of a device: " + bad.outerHTML.slice(0, 200);
	for (const e of document.querySelectorAll("main *")) for (const a of e.attributes) if (/^on/.test(a.name)) return "a handler: " + a.name;
	const hx = document.querySelector("main [hx-get], main [sse-connect]");
	if (hx) return "htmx would obey " + hx.outerHTML.slice(0, 200);
	const hidden = document.body.innerText.match(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2069\u3164\ufeff\u{e0000}-\u{e007f}]/u);
	return hidden ? "a character that hides or turns text: U+" + hidden[0].codePointAt(0).toString(16) : "";
})()`

// TestHostileDevices: whatever devices put into every field they have, no page
// runs it, loads it or is bent by it, and no spreadsheet computes it.
func TestHostileDevices(t *testing.T) {
	w := start(t)
	w.setUp()
	w.play()
	yes := true
	if _, err := w.Client.UpdateApp(t.Context(), demo.App, ota.AppPatch{AllowCustomID: &yes}); err != nil {
		t.Fatal(err)
	}
	all := payloads(t)
	for i, p := range all {
		if n := w.speak(i, p.Text); n < 5 {
			t.Errorf("%q was taken in %d fields only: what does the test show then?", p.Text, n)
		}
	}
	app := "/console/apps/" + demo.App
	paths := []string{"/console/", "/console/apps", app, app + "/channels", app + "/channels/production", app + "/channels/production/rollback", app + "/changes", "/console/audit"}
	for i := range all {
		paths = append(paths, app+"/devices/"+hostileID(i))
	}
	for _, p := range paths {
		w.safe(p)
	}
	for i, p := range all { // and it is there, as text
		w.Open(w.site + app + "/devices/" + hostileID(i))
		texts := browser.Eval[[]string](w.Browser, `[...document.querySelectorAll("main .said")].map((e) => e.textContent)`)
		if isPlain(p.Text) && !contains(texts, p.Text) {
			t.Errorf("%q is not among %q", p.Text, texts)
		}
	}
	w.unharmed(app)
	for _, list := range []string{app + "/devices", app + "/events"} {
		n := 0
		for next := list; next != ""; n++ {
			w.safe(next)
			next = browser.Eval[string](w.Browser, `document.querySelector("nav.pages a")?.getAttribute("href") ?? ""`)
		}
		if n < 2 {
			t.Errorf("%s has %d pages", list, n)
		}
	}
	w.Open(w.site + app + "/events")
	w.Screenshot("console-hostile")
	w.Open(w.site + app + "/devices/" + hostileID(0))
	w.Screenshot("console-hostile-device")
	for _, name := range []string{"/devices.csv", "/events.csv", "/errors.csv"} {
		w.sheet(app + name)
	}
	w.quiet("downloads")
}

// unharmed looks at the errors that hostile devices reported.
func (w *world) unharmed(app string) {
	w.t.Helper()
	groups, _, err := w.Client.Errors(w.t.Context(), demo.App, ota.ErrorFilter{Kind: "webview_javascript_error"}, ota.Page{Limit: 100})
	must(w, groups, err)
	if len(groups) < 2 {
		w.t.Errorf("%d groups of errors: what does the test show then?", len(groups))
	}
	w.safe(app + "/errors")
	for _, g := range groups {
		w.safe(app + "/errors/" + number(g.ID))
	}
}

// safe opens a page and looks for harm.
func (w *world) safe(path string) {
	w.t.Helper()
	w.Open(w.site + path)
	if s := browser.Eval[string](w.Browser, harm); s != "" {
		w.t.Errorf("%s: %s", path, s)
	}
	if at := browser.Eval[string](w.Browser, `location.pathname`); !strings.HasPrefix(path, at) {
		w.t.Errorf("%s led to %s", path, at)
	}
	w.quiet(path)
}

// sheet downloads a table and looks for cells that a spreadsheet would compute.
func (w *world) sheet(path string) {
	w.t.Helper()
	got := browser.Eval[struct{ Type, Disposition, Text string }](w.Browser, `fetch("`+path+`").then(async (r) => ({
		type: r.headers.get("Content-Type"), disposition: r.headers.get("Content-Disposition"), text: await r.text()}))`)
	if !strings.HasPrefix(got.Type, "text/csv") || !strings.HasPrefix(got.Disposition, "attachment") {
		w.t.Errorf("%s is %q, %q", path, got.Type, got.Disposition)
	}
	rows, err := csv.NewReader(strings.NewReader(got.Text)).ReadAll()
	if err != nil || len(rows) < 50 {
		w.t.Fatalf("%s: %d rows, %v", path, len(rows), err)
	}
	for _, row := range rows {
		for _, cell := range row {
			if first := strings.TrimLeft(cell, " \"\u00a0"); first != "" && strings.ContainsRune("=+-@\t\r|%＝＋－＠", []rune(first)[0]) {
				w.t.Errorf("%s computes %q", path, cell)
			}
			if strings.ContainsFunc(cell, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }) {
				w.t.Errorf("%s hides something in %q", path, cell)
			}
		}
	}
}

// isPlain reports whether a text is shown just as it is.
func isPlain(s string) bool {
	return len(s) <= 36 && strings.TrimSpace(s) == s && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}

func contains(texts []string, want string) bool {
	return slices.Contains(texts, want)
}
