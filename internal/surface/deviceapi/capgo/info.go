package capgo

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/semver"
)

// info is what every device request carries, and what some carry besides.
// Source: shared client notes, section 3.1 and 9.2.
type info struct {
	Platform       string    `json:"platform"`
	DeviceID       string    `json:"device_id"`
	AppID          string    `json:"app_id"`
	CustomID       string    `json:"custom_id"`
	VersionBuild   string    `json:"version_build"`
	VersionCode    string    `json:"version_code"`
	VersionOS      string    `json:"version_os"`
	VersionName    string    `json:"version_name"`
	PluginVersion  string    `json:"plugin_version"`
	InstallSource  string    `json:"install_source"`
	DefaultChannel string    `json:"defaultChannel"`
	KeyID          string    `json:"key_id"`
	Channel        string    `json:"channel"`
	Action         string    `json:"action"`
	OldVersionName string    `json:"old_version_name"`
	Timestamp      int64     `json:"timestamp"`
	IsEmulator     *bool     `json:"is_emulator"`
	IsProd         *bool     `json:"is_prod"`
	Metadata       stringMap `json:"metadata"`

	// Derived while validating.
	id     ota.DeviceID
	native semver.Version // zero if VersionBuild is ""
	build  string         // VersionBuild as the device spelled it
	plugin semver.Version
	raw    string // VersionName as the device spelled it
	asked  decide.Check
}

// stringMap is a JSON object of strings.
type stringMap map[string]string

var decodeOptions = jsonv2.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))

// parse reads and validates one JSON object. The usual case is one strict
// decode; whatever is odd about a body is then found out slowly, field by field.
func parse(raw []byte, rt route) (*info, *rejected) { return parseInto(new(info), raw, rt) }

// parseInto parses as a rule into in, which may hold what was parsed before.
func parseInto(in *info, raw []byte, rt route) (*info, *rejected) {
	*in = info{}
	if !scan(raw, in) {
		*in = info{}
		if err := jsonv2.Unmarshal(raw, in, decodeOptions); err != nil {
			return parseSlowly(raw, rt)
		}
	}
	if in.quick(rt) {
		return in, nil
	}
	return parseSlowly(raw, rt)
}

// parseSlowly says what exactly is wrong with a body, if anything is.
func parseSlowly(raw []byte, rt route) (*info, *rejected) {
	d := json.NewDecoder(bytes.NewReader(raw))
	var v any
	if err := d.Decode(&v); err != nil || len(bytes.Trim(raw[d.InputOffset():], " \t\r\n")) > 0 {
		return nil, bad("invalid_json_parse_body", "The body is not JSON")
	}
	fields, ok := v.(map[string]any)
	if !ok {
		return nil, bad("invalid_json_body", "Cannot parse body")
	}
	return parseFields(fields, rt)
}

// quick validates a decoded body that has nothing odd about it.
func (in *info) quick(rt route) bool {
	var ok bool
	if in.id, ok = ota.ParseDeviceID(in.DeviceID); !ok {
		return false
	}
	if in.PluginVersion != "" || rt == routeCheck {
		if in.plugin, ok = semver.Parse(in.PluginVersion); !ok {
			return false
		}
	}
	if !in.normalise() || ota.CheckAppID(in.AppID) != nil || len(in.KeyID) > maxKeyID || len(in.InstallSource) > maxInstallSource {
		return false
	}
	if rt == routeStats {
		return in.Platform != "" && in.VersionOS != "" && len(in.CustomID) <= maxCustomID && metadataOK(in.Metadata)
	}
	if in.Platform != decide.IOS && in.Platform != decide.Android && in.Platform != decide.Electron {
		return false
	}
	return rt != routeCheck || in.VersionName != "" && in.VersionBuild != ""
}

// normalise reads the versions; a native version must be one if it is there.
func (in *info) normalise() bool {
	in.raw, in.build = in.VersionName, in.VersionBuild
	if in.VersionBuild != "" {
		v, ok := semver.Native(in.VersionBuild)
		if !ok {
			return false
		}
		in.native = v
		if s := in.VersionBuild; strings.Count(s, ".") != 2 || strings.ContainsRune(s, '+') || s == ota.Builtin {
			in.VersionBuild = v.String()
		}
	}
	if in.VersionName == ota.Builtin && in.VersionBuild != "" {
		in.VersionName = in.VersionBuild
	}
	return true
}

func (in *info) prod() bool     { return in.IsProd == nil || *in.IsProd }
func (in *info) emulator() bool { return in.IsEmulator != nil && *in.IsEmulator }

// check makes the question for package decide.
func (in *info) check() decide.Check {
	return decide.Check{
		Device: in.id, Platform: in.Platform, VersionName: in.VersionName, VersionBuild: in.VersionBuild, Build: in.build,
		Native: in.native, Plugin: in.plugin, IsProd: in.prod(), IsEmulator: in.emulator(),
		DefaultChannel: in.DefaultChannel, KeyID: in.KeyID,
		OS: in.VersionOS, VersionCode: in.VersionCode, InstallSource: strings.ToLower(strings.TrimSpace(in.InstallSource)),
	}
}

// checkOf is check for an app, which may take custom ids.
func (in *info) checkOf(app *decide.App) decide.Check {
	c := in.check()
	if app.AllowCustomID {
		c.CustomID = clip(strings.TrimSpace(in.CustomID), maxText)
	}
	return c
}

// device says what the device told of itself. The app may forbid custom ids.
func (in *info) device(app *decide.App) ota.Device {
	d := ota.Device{
		ID: in.id, App: app.ID, Platform: clip(in.Platform, maxText), VersionName: clip(in.VersionName, maxText),
		VersionBuild: clip(in.VersionBuild, maxText), VersionCode: clip(in.VersionCode, maxText),
		VersionOS: clip(in.VersionOS, maxText), PluginVersion: clip(in.PluginVersion, maxText),
		IsProd: in.prod(), IsEmulator: in.emulator(), DefaultChannel: clip(in.DefaultChannel, maxText), KeyID: in.KeyID,
		InstallSource: strings.ToLower(strings.TrimSpace(in.InstallSource)),
	}
	if app.AllowCustomID {
		d.CustomID = clip(strings.TrimSpace(in.CustomID), maxText)
	}
	return d
}

// maxText bounds, in bytes, what is kept of a text that a device says of
// itself; the schema bounds only some of them.
const maxText = 150

// clip cuts a text to at most n bytes, between characters.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
