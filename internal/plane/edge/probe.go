package edge

import (
	"encoding/json"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/semver"
)

// currentPlugin is what a probe that names no plugin version is taken for.
const currentPlugin = "8.51.23"

// Probe returns what a device would get now, byte for byte, and every rule that
// was asked. newestKey is the key id a probe that names none is taken to have.
func (s *Service) Probe(app *decide.App, req ota.ProbeRequest, newestKey, base string) (json.RawMessage, []decide.Step, error) {
	c, spelled, err := checkOf(req, newestKey)
	if err != nil {
		return nil, nil, err
	}
	if !app.AllowCustomID {
		c.CustomID = ""
	}
	var t decide.Trace
	out := decide.Decide(app, c, &t)
	if out.Code == decide.CodeNoNewVersion {
		out.Version = spelled
	}
	return append(json.RawMessage{}, s.Answer(nil, base, app, c, &out)...), t.Steps, nil
}

// checkOf makes the question a device would ask, and tells how it would spell
// the version it runs.
func checkOf(req ota.ProbeRequest, newestKey string) (c *decide.Check, spelled string, err error) {
	c = &decide.Check{
		Platform: req.Platform, Build: req.Native, VersionName: req.Current, DefaultChannel: req.Channel,
		KeyID: req.KeyID, IsProd: true, IsEmulator: req.IsEmulator,
		OS: req.OS, VersionCode: req.VersionCode, InstallSource: strings.ToLower(strings.TrimSpace(req.InstallSource)),
		CustomID: strings.TrimSpace(req.CustomID),
	}
	switch c.Platform {
	case decide.IOS, decide.Android, decide.Electron:
	default:
		return nil, "", ota.Invalid("platform_invalid", "platform %q is none of ios, android, electron", c.Platform).WithField("platform")
	}
	var ok bool
	if c.Native, ok = semver.Native(req.Native); !ok || req.Native == "" {
		return nil, "", ota.Invalid("native_invalid", "native version %q is no version such as 1.2.0", req.Native).WithField("native")
	}
	c.VersionBuild = c.Native.String()
	plugin := req.Plugin
	if plugin == "" {
		plugin = currentPlugin
	}
	if c.Plugin, ok = semver.Parse(plugin); !ok {
		return nil, "", ota.Invalid("plugin_invalid", "plugin version %q is no version such as 8.51.23", plugin).WithField("plugin")
	}
	spelled = c.VersionName
	if c.VersionName == "" || c.VersionName == ota.Builtin {
		c.VersionName, spelled = c.VersionBuild, ota.Builtin
		if decide.NamesBuiltinNatively(c.Plugin) {
			c.VersionName, spelled = req.Native, req.Native
		}
	}
	if req.Device != "" {
		if c.Device, ok = ota.ParseDeviceID(req.Device); !ok {
			return nil, "", ota.Invalid("device_id_invalid", "device id %q is not a UUID", req.Device).WithField("device")
		}
	}
	if req.IsProd != nil {
		c.IsProd = *req.IsProd
	}
	if c.KeyID == "" && !req.NoKey {
		c.KeyID = newestKey
	}
	return c, spelled, nil
}
