package capgo

import (
	"net/http"
	"net/url"
	"strconv"
	"unicode/utf16"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/semver"
)

// route says which schema a body must meet.
type route int

const (
	routeCheck   route = iota // POST /updates and manifest_size
	routeStats                // one event
	routeChannel              // /channel_self with a body
	routeQuery                // /channel_self with a query
	routeList                 // GET /channel_self: the device may stay unknown
)

// The bounds of the schema. Source: shared server notes, A.1.
const (
	maxDeviceID      = 36
	maxKeyID         = 20
	maxCustomID      = 36
	maxInstallSource = 64
	maxMetadataKeys  = 30
	maxMetadataKey   = 64
	maxMetadataValue = 2048
)

func metadataOK(m stringMap) bool {
	if len(m) > maxMetadataKeys {
		return false
	}
	for k, v := range m {
		if longer(k, maxMetadataKey) || longer(v, maxMetadataValue) {
			return false
		}
	}
	return true
}

// longer reports whether s has more than n characters as the clients count
// them: UTF-16 units.
func longer(s string, n int) bool {
	if len(s) <= n {
		return false
	}
	units := 0
	for _, r := range s {
		units += max(utf16.RuneLen(r), 1)
	}
	return units > n
}

// fields is a body or query whose types are not known yet.
type fields map[string]any

// parseFields validates in the reference order and says everything that is wrong.
func parseFields(f fields, rt route) (*info, *rejected) {
	code := "invalid_json_body"
	if rt == routeQuery || rt == routeList {
		code = "invalid_query_parameters"
	}
	switch {
	case len(f) == 0:
		return nil, bad(code, "Cannot parse body")
	case falsy(f["device_id"]) && rt != routeList:
		return nil, bad("missing_device_id", "The device id is missing")
	case falsy(f["app_id"]):
		return nil, bad("missing_app_id", "The app id is missing")
	}
	if s, ok := f["version_build"].(string); ok && s != "" {
		if _, ok := semver.Native(s); !ok {
			return nil, bad("semver_error", "The native version is not a semantic version")
		}
	}
	c := &checker{f: f}
	in := c.info(rt)
	if len(c.issues) > 0 {
		return nil, &rejected{status: http.StatusBadRequest, code: code, msg: "Cannot parse body", issues: c.issues}
	}
	return in, nil
}

func falsy(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case float64:
		return v == 0
	case bool:
		return !v
	}
	return false
}

// checker reads typed fields and collects what is wrong with them.
type checker struct {
	f      fields
	issues []issue
}

func (c *checker) wrong(name, message string) {
	c.issues = append(c.issues, issue{message, []string{name}})
}

// info reads the fields in schema order, which is the order of the issues.
func (c *checker) info(rt route) *info {
	in := &info{}
	in.AppID = c.text("app_id", "App ID", true, false, 0)
	if in.AppID != "" && ota.CheckAppID(in.AppID) != nil {
		c.wrong("app_id", "App ID must be a reverse domain string")
	}
	in.DeviceID = c.text("device_id", "Device ID", rt != routeList, false, maxDeviceID)
	if in.DeviceID != "" && !c.has("device_id") {
		var ok bool
		if in.id, ok = ota.ParseDeviceID(in.DeviceID); !ok {
			c.wrong("device_id", "Device ID must be a valid UUID string")
		}
	}
	in.VersionName = c.text("version_name", "Version name", rt == routeCheck, rt != routeCheck, 0)
	in.VersionBuild = c.text("version_build", "Version build", rt == routeCheck, rt != routeCheck, 0)
	if rt == routeStats {
		in.VersionOS = c.text("version_os", "Version OS", true, false, 0)
	} else {
		in.VersionOS = c.loose("version_os", 0)
	}
	in.IsEmulator = c.flag("is_emulator", rt)
	in.IsProd = c.flag("is_prod", rt)
	c.platform(in, rt)
	c.pluginVersion(in, rt)
	in.DefaultChannel = c.text("defaultChannel", "defaultChannel", false, true, 0)
	in.Channel = c.text("channel", "channel", false, true, 0)
	in.KeyID = c.text("key_id", "key_id", false, true, maxKeyID)
	in.InstallSource = c.text("install_source", "install_source", false, true, maxInstallSource)
	customID := 0
	if rt == routeStats {
		customID = maxCustomID
	}
	in.CustomID = c.loose("custom_id", customID)
	in.VersionCode = c.loose("version_code", 0)
	if rt == routeCheck { // not its fields
		in.normalise()
		return in
	}
	in.OldVersionName = c.loose("old_version_name", 0)
	in.Action = c.text("action", "action", false, true, 0)
	in.Timestamp = c.timestamp()
	in.Metadata = c.metadata()
	in.normalise()
	return in
}

func (c *checker) has(name string) bool {
	for _, i := range c.issues {
		if i.Path[0] == name {
			return true
		}
	}
	return false
}

// text reads a string. A null is as good as nothing.
func (c *checker) text(name, label string, required, empty bool, limit int) string {
	v, ok := c.f[name].(string)
	switch {
	case c.f[name] == nil && required, ok && v == "" && required && !empty:
		c.wrong(name, label+" is required")
	case c.f[name] != nil && !ok:
		c.wrong(name, label+" must be a string")
	case limit > 0 && longer(v, limit):
		c.wrong(name, "String must contain at most "+strconv.Itoa(limit)+" character(s)")
	}
	return v
}

// loose reads a field no rule depends on, whatever its type.
func (c *checker) loose(name string, limit int) string {
	switch v := c.f[name].(type) {
	case string:
		if limit > 0 && longer(v, limit) {
			c.wrong(name, "String must contain at most "+strconv.Itoa(limit)+" character(s)")
		}
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return ""
}

// flag reads a boolean; in a query only the text "true" is true.
func (c *checker) flag(name string, rt route) *bool {
	switch v := c.f[name].(type) {
	case nil:
		return nil
	case bool:
		return &v
	case string:
		if rt == routeQuery || rt == routeList {
			b := v == "true"
			return &b
		}
	}
	c.wrong(name, name+" must be a boolean")
	return nil
}

func (c *checker) platform(in *info, rt route) {
	in.Platform = c.text("platform", "Platform", true, false, 0)
	switch in.Platform {
	case "", decide.IOS, decide.Android, decide.Electron:
	default:
		if rt != routeStats {
			c.wrong("platform", "Platform is not supported or invalid")
		}
	}
}

func (c *checker) pluginVersion(in *info, rt route) {
	in.PluginVersion = c.text("plugin_version", "plugin_version", rt == routeCheck, rt != routeCheck, 0)
	if in.PluginVersion == "" {
		return
	}
	var ok bool
	if in.plugin, ok = semver.Parse(in.PluginVersion); !ok && rt == routeCheck {
		c.wrong("plugin_version", "Plugin version is invalid")
	}
}

// timestamp reads milliseconds; what is no number is "not sent".
func (c *checker) timestamp() int64 {
	if v, ok := c.f["timestamp"].(float64); ok && v > 0 && v < 1<<53 {
		return int64(v)
	}
	return 0
}

func (c *checker) metadata() stringMap {
	if c.f["metadata"] == nil {
		return nil
	}
	m, ok := c.f["metadata"].(map[string]any)
	if !ok {
		c.wrong("metadata", "metadata must be an object")
		return nil
	}
	out := stringMap{}
	for k, v := range m {
		s, ok := v.(string)
		if !ok {
			c.wrong("metadata", "metadata values must be strings")
			return nil
		}
		out[k] = s
	}
	if !metadataOK(out) {
		c.wrong("metadata", "metadata has at most 30 keys of 64 and values of 2048 characters")
	}
	return out
}

// fromQuery reads a query like a body; of a repeated name the first counts.
func fromQuery(q url.Values) fields {
	f := fields{}
	for k, v := range q {
		f[k] = v[0]
	}
	return f
}
