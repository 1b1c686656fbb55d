package target

import (
	"strconv"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/semver"
)

// valueKind says how values of a field compare.
type valueKind uint8

const (
	kindText    valueKind = iota // == != in
	kindVersion                  // semantic versions
	kindNumbers                  // numbers with dots, as many as there are
	kindBool                     // stands by itself
)

// fieldID names what a device tells of itself.
type fieldID uint8

const (
	fieldPlatform fieldID = iota
	fieldNative
	fieldPlugin
	fieldRunning
	fieldOS
	fieldVersionCode
	fieldCustomID
	fieldInstallSource
	fieldChannel
	fieldKeyID
	fieldProd
	fieldEmulator
)

// field is a name of the language.
type field struct {
	name string
	id   fieldID
	kind valueKind
}

// fields are all names, in the order in which they are listed to people.
var fields = [...]field{
	{"platform", fieldPlatform, kindText},
	{"native", fieldNative, kindVersion},
	{"os", fieldOS, kindNumbers},
	{"plugin", fieldPlugin, kindVersion},
	{"running", fieldRunning, kindVersion},
	{"version_code", fieldVersionCode, kindNumbers},
	{"custom_id", fieldCustomID, kindText},
	{"install_source", fieldInstallSource, kindText},
	{"channel", fieldChannel, kindText},
	{"key_id", fieldKeyID, kindText},
	{"prod", fieldProd, kindBool},
	{"emulator", fieldEmulator, kindBool},
}

const fieldNames = `platform, native, os, plugin, running, version_code, custom_id, install_source, channel, key_id, prod, emulator, cohort("name")`

func fieldByName(name string) *field {
	for i := range fields {
		if fields[i].name == name {
			return &fields[i]
		}
	}
	return nil
}

// text is the value of a field as a device spells it.
func (id fieldID) text(c *decide.Check) string {
	switch id {
	case fieldPlatform:
		return c.Platform
	case fieldRunning:
		return c.VersionName
	case fieldOS:
		return c.OS
	case fieldVersionCode:
		return c.VersionCode
	case fieldCustomID:
		return c.CustomID
	case fieldInstallSource:
		return c.InstallSource
	case fieldChannel:
		return c.DefaultChannel
	case fieldKeyID:
		return c.KeyID
	}
	return ""
}

// version is the value of a field of kindVersion; ok is false if it is none.
func (id fieldID) version(c *decide.Check) (v semver.Version, ok bool) {
	switch id {
	case fieldNative:
		return c.Native, true
	case fieldPlugin:
		return c.Plugin, true
	}
	return semver.Native(c.VersionName)
}

func (id fieldID) flag(c *decide.Check) bool {
	if id == fieldProd {
		return c.IsProd
	}
	return c.IsEmulator
}

// told writes a field's value for people.
func (id fieldID) told(c *decide.Check) string {
	var s string
	switch id {
	case fieldNative:
		s = c.Native.String()
	case fieldPlugin:
		s = c.Plugin.String()
	case fieldProd, fieldEmulator:
		return strconv.FormatBool(id.flag(c))
	default:
		s = id.text(c)
	}
	if s == "" {
		return "nothing"
	}
	if len(s) > maxTold {
		s = strings.ToValidUTF8(s[:maxTold], "") + "..."
	}
	return strconv.Quote(s)
}

// maxTold bounds how much of what a device says is repeated.
const maxTold = 80

// maxParts is how many numbers of one with dots count.
const maxParts = 4

// numbers is a value of kindNumbers; what is not there is 0.
type numbers [maxParts]uint32

// parseNumbers reads the numbers that s begins with, such as 10.0.22631 of
// "10.0.22631 (64 bit)"; ok is false if it begins with none.
func parseNumbers(s string) (n numbers, ok bool) {
	at := 0
	for part := range maxParts {
		start := at
		var v uint64
		for at < len(s) && isDigit(s[at]) && at-start < 10 {
			v = v*10 + uint64(s[at]-'0')
			at++
		}
		if at == start {
			return n, part > 0
		}
		n[part] = uint32(min(v, 1<<32-1))
		if at == len(s) || s[at] != '.' {
			return n, true
		}
		at++
	}
	return n, true
}

func (n *numbers) compare(m *numbers) int {
	for i := range n {
		switch {
		case n[i] < m[i]:
			return -1
		case n[i] > m[i]:
			return 1
		}
	}
	return 0
}
