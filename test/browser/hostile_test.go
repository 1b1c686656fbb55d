package browser

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/demo"
	"github.com/waxwing-ota/waxwing/internal/testkit/browser"
)

// update sends what a device sends to ask for an update.
func (w *world) update(ctx context.Context, device, version string) error {
	return w.post(ctx, "/updates", map[string]any{
		"app_id": demo.App, "device_id": device, "platform": "android", "version_name": version, "version_build": "0.9.0", "version_code": "90",
		"version_os": "15", "plugin_version": "7.20.0", "is_prod": true, "is_emulator": false, "defaultChannel": "",
	})
}

func (w *world) post(ctx context.Context, path string, body map[string]any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.URL+path, bytes.NewReader(raw))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode >= 500 {
		return fmt.Errorf("%s: %s", path, res.Status)
	}
	return nil
}

// hostile is what a device might say to harm who reads it.
var hostile = []string{
	`<script>window.pwned=1</script>`, `"><img src=x onerror=window.pwned=1>`, `'-window.pwned=1-'`, `javascript:window.pwned=1`,
	`</title><svg onload=window.pwned=1>`, `{{.Visitor}}${window.pwned=1}`, "a\u202egnp.exe\u2066", "zero\u200bwidth\ufeff", `=HYPERLINK("http://evil.example","x")`,
	`+1+cmd|' /C calc'!A0`, "line\nbreak\r\n\tand\x1b[31m", `<a href="http://evil.example">click</a>`, `hx-get="/api/v1/apps" hx-trigger="load"`,
}

// TestHostileDevices: whatever devices put into every field they have, no page
// runs it, loads it or is bent by it.
func TestHostileDevices(t *testing.T) {
	w := start(t)
	w.setUp()
	w.play()
	yes := true
	if _, err := w.Server.Client.UpdateApp(t.Context(), demo.App, ota.AppPatch{AllowCustomID: &yes}); err != nil {
		t.Fatal(err)
	}
	for i, h := range hostile {
		device := fmt.Sprintf("0b000000-0000-4000-8000-%012x", i)
		for _, field := range []string{"version_name", "version_code", "version_os", "custom_id", "defaultChannel", "install_source", "key_id"} {
			body := map[string]any{
				"app_id": demo.App, "device_id": device, "platform": "android", "version_name": "1.0.0", "version_build": "0.9.0", "version_code": "90",
				"version_os": "15", "plugin_version": "7.20.0", "is_prod": true, "is_emulator": false, "defaultChannel": "", field: h,
			}
			if err := w.post(t.Context(), "/updates", body); err != nil {
				t.Fatal(err)
			}
			body["action"], body["old_version_name"], body["metadata"] = h, h, map[string]string{"error": h}
			if err := w.post(t.Context(), "/stats", body); err != nil {
				t.Fatal(err)
			}
		}
	}
	app := "/console/apps/" + demo.App
	paths := []string{"/console/", app, app + "/devices", app + "/events", app + "/channels/production/rollback"}
	for i := range hostile {
		paths = append(paths, fmt.Sprintf("%s/devices/0b000000-0000-4000-8000-%012x", app, i))
	}
	for _, p := range paths {
		w.Open(w.site + p)
		if browser.Eval[bool](w.Browser, `"pwned" in window || !!document.querySelector("main script:not([src]), main [onerror], main [onload], main img[src=x]")`) {
			t.Errorf("%s ran or holds what a device said", p)
		}
		w.quiet(p)
	}
	w.Open(w.site + app + "/events")
	w.Screenshot("console-hostile")
}
