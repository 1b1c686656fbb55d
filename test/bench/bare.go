package main

import (
	"encoding/json"
	"io"
	"net/http"
)

// serveBare is what an update check is compared with: the least a Go server
// can do with the same request, decoding the body and answering fixed bytes.
func serveBare(addr string) error {
	answer := []byte(`{"version":"1.0.0","url":"http://127.0.0.1/files/x","checksum":"0000","session_key":""}`)
	mux := http.NewServeMux()
	mux.HandleFunc("POST /updates", func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Platform       string `json:"platform"`
			DeviceID       string `json:"device_id"`
			AppID          string `json:"app_id"`
			CustomID       string `json:"custom_id"`
			VersionBuild   string `json:"version_build"`
			VersionCode    string `json:"version_code"`
			VersionOS      string `json:"version_os"`
			VersionName    string `json:"version_name"`
			PluginVersion  string `json:"plugin_version"`
			IsEmulator     bool   `json:"is_emulator"`
			IsProd         bool   `json:"is_prod"`
			InstallSource  string `json:"install_source"`
			DefaultChannel string `json:"defaultChannel"`
			KeyID          string `json:"key_id"`
		}
		body, err := io.ReadAll(r.Body)
		if err != nil || json.Unmarshal(body, &in) != nil {
			http.Error(w, "bad", http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(answer)
	})
	mux.HandleFunc("GET /readyz", func(http.ResponseWriter, *http.Request) {})
	return http.ListenAndServe(addr, mux)
}
