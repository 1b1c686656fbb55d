package decide

import "github.com/waxwing-ota/waxwing/internal/core/semver"

// threshold is the first plugin version of each supported major line that can
// do something; lines above 8 and lines not named can.
type threshold struct{ v5, v6, v7, v8 semver.Version }

var (
	manifests     = threshold{v(5, 10, 0), v(6, 25, 0), v(7, 0, 35), v(8, 0, 0)}
	metadata      = threshold{v(5, 35, 0), v(6, 35, 0), v(7, 35, 0), v(8, 35, 0)}
	clientStorage = threshold{v(5, 34, 0), v(6, 34, 0), v(7, 34, 0), v(8, 0, 0)}
	hexChecksums  = threshold{v(5, 30, 0), v(6, 30, 0), v(7, 30, 0), v(8, 0, 0)}
	fullKeyIDs    = threshold{v(5, 50, 0), v(6, 50, 0), v(7, 50, 0), semver.Version{Major: 8, Minor: 40, Patch: 8}}
	nativeNames   = threshold{v(5, 44, 0), v(6, 44, 0), v(7, 44, 0), v(8, 44, 0)}
)

func v(major, minor, patch uint64) semver.Version {
	return semver.Version{Major: major, Minor: minor, Patch: patch}
}

func (t *threshold) met(p semver.Version) bool {
	var min semver.Version
	switch p.Major {
	case 5:
		min = t.v5
	case 6:
		min = t.v6
	case 7:
		min = t.v7
	case 8:
		min = t.v8
	default:
		return true
	}
	return semver.Compare(p, min) >= 0
}

// StoresChannel reports whether a plugin keeps its channel choice on the device.
func StoresChannel(p semver.Version) bool { return clientStorage.met(p) }

// TakesManifest reports whether a plugin takes file lists.
func TakesManifest(p semver.Version) bool { return manifests.met(p) }

// TakesHexChecksum reports whether a plugin reads signed checksums in hex; the
// older ones want base64 of a signature over other bytes.
func TakesHexChecksum(p semver.Version) bool { return hexChecksums.met(p) }

// ReportsFullKeyID reports whether a device's key id can be trusted to be there
// and complete; older plugins send none, or a prefix all keys share.
func ReportsFullKeyID(p semver.Version) bool { return fullKeyIDs.met(p) }

// NamesBuiltinNatively reports whether a plugin calls its built-in bundle by
// the native version rather than "builtin".
func NamesBuiltinNatively(p semver.Version) bool { return nativeNames.met(p) }

// CountsDownloadFail reports whether a plugin's download_fail means a failed
// download; older ones also sent it for "nothing new".
func CountsDownloadFail(p semver.Version) bool {
	switch {
	case p.Major <= 5:
		return false
	case p.Major == 6:
		return !p.Less(6, 14, 25)
	}
	return !p.Less(7, 17, 0)
}
