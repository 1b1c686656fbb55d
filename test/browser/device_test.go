package browser

import (
	"net/http"

	"github.com/waxwing-ota/waxwing/internal/demo"
)

// update sends what a device sends to ask for an update.
func (w *world) update(device, version string) {
	w.t.Helper()
	w.send(http.MethodPost, "/updates", map[string]any{
		"app_id": demo.App, "device_id": device, "platform": "android", "version_name": version, "version_build": "0.9.0", "version_code": "90",
		"version_os": "15", "plugin_version": "7.20.0", "is_prod": true, "is_emulator": false, "defaultChannel": "",
	})
}
