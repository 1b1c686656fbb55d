package ota

import "encoding/hex"

// DeviceID is a device's UUID; its text form is lower-case 8-4-4-4-12.
type DeviceID [16]byte

// ParseDeviceID reads canonical UUID text in either case.
func ParseDeviceID(s string) (DeviceID, bool) {
	var d DeviceID
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return d, false
	}
	j := 0
	for i := 0; i < 36; {
		if s[i] == '-' {
			i++
			continue
		}
		hi, lo := unhex(s[i]), unhex(s[i+1])
		if hi > 15 || lo > 15 {
			return d, false
		}
		d[j] = hi<<4 | lo
		i += 2
		j++
	}
	return d, true
}

func unhex(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10
	}
	return 255
}

// String returns the lower-case text form.
func (d DeviceID) String() string {
	b := make([]byte, 0, 36)
	for _, g := range [][]byte{d[0:4], d[4:6], d[6:8], d[8:10], d[10:]} {
		if len(b) > 0 {
			b = append(b, '-')
		}
		b = hex.AppendEncode(b, g)
	}
	return string(b)
}

// MarshalText writes the text form.
func (d DeviceID) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads the text form.
func (d *DeviceID) UnmarshalText(b []byte) error {
	v, ok := ParseDeviceID(string(b))
	if !ok {
		return Invalid("device_id_invalid", "device id %q is not a UUID", b).WithField("device_id")
	}
	*d = v
	return nil
}

// Device is the latest that is known of one installation.
type Device struct {
	ID             DeviceID `json:"id"`
	App            string   `json:"app"`
	Platform       string   `json:"platform"`
	VersionName    string   `json:"version_name"` // what it runs, as it last said; never what was offered
	VersionBuild   string   `json:"version_build"`
	VersionCode    string   `json:"version_code"`
	VersionOS      string   `json:"version_os"`
	PluginVersion  string   `json:"plugin_version"`
	CustomID       string   `json:"custom_id"`
	IsProd         bool     `json:"is_prod"`
	IsEmulator     bool     `json:"is_emulator"`
	DefaultChannel string   `json:"default_channel"` // "" = the last request named none
	KeyID          string   `json:"key_id"`          // "" = the last request named none
	InstallSource  string   `json:"install_source"`
	FirstSeen      int64    `json:"first_seen"`
	LastSeen       int64    `json:"last_seen"`
	Override       string   `json:"override"`        // channel forced by an operator or set by an old plugin; "" = none
	FailedVersions []string `json:"failed_versions"` // not offered again until cleared

	// Outcomes is how it fared with versions, latest first; told of one device only.
	Outcomes []DeviceOutcome `json:"outcomes,omitempty"`
}

// Event is one thing a device reported, kept as it came.
type Event struct {
	ID             int64             `json:"id"`
	App            string            `json:"app"`
	Device         DeviceID          `json:"device_id"`
	Action         string            `json:"action"`
	Known          bool              `json:"known"`   // the action is one we classify
	Counted        bool              `json:"counted"` // it counts for health and adoption
	VersionName    string            `json:"version_name"`
	OldVersionName string            `json:"old_version_name"`
	VersionBuild   string            `json:"version_build"`
	Platform       string            `json:"platform"`
	PluginVersion  string            `json:"plugin_version"`
	Channel        string            `json:"channel"`     // attributed by the server
	Timestamp      int64             `json:"timestamp"`   // the device's clock; 0 = not sent
	ReceivedAt     int64             `json:"received_at"` // ours
	Metadata       map[string]string `json:"metadata,omitempty"`
}
