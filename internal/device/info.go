package device

import (
	"maps"
	"strings"
)

// info is what every request says about the device. Keys and value types are
// those of the plugin.
func (d *Device) info() map[string]any {
	m := map[string]any{
		"platform":       d.cfg.Platform,
		"device_id":      d.ID().String(),
		"app_id":         d.cfg.AppID,
		"custom_id":      d.cfg.CustomID,
		"version_build":  d.cfg.VersionBuild,
		"version_code":   d.cfg.VersionCode,
		"version_os":     d.cfg.VersionOS,
		"version_name":   d.runningName(),
		"plugin_version": d.cfg.PluginVersion,
		"is_emulator":    d.cfg.Emulator,
		"is_prod":        !d.cfg.Debug,
		"defaultChannel": d.channel(),
	}
	if d.key != nil {
		m["key_id"] = d.key.ID()
	}
	if d.cfg.Platform == Android && since(d.plugin, 50, 0) || d.cfg.InstallSource != "" && d.cfg.Platform != Electron {
		m["install_source"] = d.cfg.InstallSource
	}
	return m
}

// infoWith is info with more fields.
func (d *Device) infoWith(more map[string]any) map[string]any {
	m := d.info()
	maps.Copy(m, more)
	return m
}

// electronCallInfo is what the Electron client sends to the channel and stats
// endpoints: no custom id unless set, no name for the built-in bundle.
func (d *Device) electronCallInfo() map[string]any {
	m := d.info()
	if d.cfg.CustomID == "" {
		delete(m, "custom_id")
	}
	if d.st.Current == builtinID {
		m["version_name"] = ""
	}
	return m
}

// userAgent is the plugin's own header; only printable Latin-1 survives in it.
func (d *Device) userAgent() string {
	return "CapacitorUpdater/" + agentPart(d.cfg.PluginVersion) + " (" + agentPart(d.cfg.AppID) + ") " +
		d.cfg.Platform + "/" + agentPart(d.cfg.VersionOS)
}

func agentPart(s string) string {
	s = strings.Map(func(r rune) rune {
		if r >= 0x20 && r <= 0x7e || r >= 0xa0 && r <= 0xff {
			return r
		}
		return -1
	}, s)
	if s == "" {
		return "unknown"
	}
	return s
}
