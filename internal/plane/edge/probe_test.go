package edge

import (
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func TestProbe(t *testing.T) {
	va := variant()
	newest := va.KeyID
	builtin := appWith(va)
	builtin.Channels[0].Chain[0].Bundle = nil
	ok := func(change func(*ota.ProbeRequest)) ota.ProbeRequest {
		r := ota.ProbeRequest{Platform: "android", Native: "1.0.0", Current: "1.0.0"}
		change(&r)
		return r
	}
	for _, c := range []struct {
		name string
		req  ota.ProbeRequest
		want map[string]any
		code string // of the error
	}{
		{"update", ok(func(*ota.ProbeRequest) {}), map[string]any{"version": "1.2.3", "session_key": "aXY=:a2V5"}, ""},
		{"ios", ok(func(r *ota.ProbeRequest) { r.Platform = "ios" }), map[string]any{"version": "1.2.3"}, ""},
		{"runs it", ok(func(r *ota.ProbeRequest) { r.Current = "1.2.3" }), map[string]any{"error": "no_new_version_available", "version": "1.2.3"}, ""},
		{"no key", ok(func(r *ota.ProbeRequest) { r.NoKey = true }), map[string]any{"error": "key_id_mismatch"}, ""},
		{"another key", ok(func(r *ota.ProbeRequest) { r.KeyID = "x" }), map[string]any{"deviceKeyId": "x"}, ""},
		{"old plugin", ok(func(r *ota.ProbeRequest) { r.Plugin = "7.29.0" }), map[string]any{"checksum": "Y29mZmVl", "manifest": nil}, ""},
		{"no such channel", ok(func(r *ota.ProbeRequest) { r.Channel = "beta" }), map[string]any{"error": "no_channel"}, ""},
		{"dev build", ok(func(r *ota.ProbeRequest) { r.IsProd = new(false) }), map[string]any{"version": "1.2.3"}, ""},
		{"short native", ok(func(r *ota.ProbeRequest) { r.Native, r.Current = "1", "" }), map[string]any{"version": "1.2.3"}, ""},
		{"known device", ok(func(r *ota.ProbeRequest) { r.Device = "00009A6B-EEFE-490A-9C60-8E965132AE51" }), map[string]any{"version": "1.2.3"}, ""},
		{"platform", ok(func(r *ota.ProbeRequest) { r.Platform = "windows" }), nil, "platform_invalid"},
		{"native", ok(func(r *ota.ProbeRequest) { r.Native = "abc" }), nil, "native_invalid"},
		{"no native", ok(func(r *ota.ProbeRequest) { r.Native = "" }), nil, "native_invalid"},
		{"plugin", ok(func(r *ota.ProbeRequest) { r.Plugin = "eight" }), nil, "plugin_invalid"},
		{"device", ok(func(r *ota.ProbeRequest) { r.Device = "me" }), nil, "device_id_invalid"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, _ := newService()
			raw, steps, err := s.Probe(appWith(va), c.req, newest, base)
			if c.code != "" {
				if ota.CodeOf(err) != c.code || ota.KindOf(err) != ota.KindInvalid {
					t.Errorf("got %v, want %s", err, c.code)
				}
				return
			}
			if err != nil || len(steps) == 0 {
				t.Fatalf("%d steps, %v", len(steps), err)
			}
			o := object(t, raw)
			for k, v := range c.want {
				if o[k] != v {
					t.Errorf("%s is %v, want %v", k, o[k], v)
				}
			}
			raw[0] = 'x' // the caller may do as it likes with the answer
			if again, _, _ := s.Probe(appWith(va), c.req, newest, base); again[0] != '{' {
				t.Error("a probe gave out what the cache holds")
			}
		})
	}
	s, _ := newService()
	va.Bundle.Version = "1.0.0" // which is not how a device names a native "1.0"
	raw, _, err := s.Probe(appWith(va), ok(func(r *ota.ProbeRequest) { r.Native, r.Current = "1.0", "" }), newest, base)
	if o := object(t, raw); err != nil || o["error"] != nil || o["version"] != "1.0.0" {
		t.Errorf("a bundle that reads like the native version: %s, %v", raw, err)
	}
	for current, want := range map[string]any{"": "already_on_builtin", "builtin": "already_on_builtin", "1.0": "already_on_builtin", "1.1.0": nil} {
		raw, _, err := s.Probe(builtin, ok(func(r *ota.ProbeRequest) { r.Native, r.Current = "1.0", current }), newest, base)
		if o := object(t, raw); err != nil || o["error"] != want || o["version"] != "builtin" {
			t.Errorf("running %q: %s, %v", current, raw, err)
		}
	}
}
