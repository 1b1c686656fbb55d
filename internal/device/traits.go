package device

import (
	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/semver"
)

// traits is what a plugin version can do on the wire. What it accepts is
// always as strict as the newest plugin.
type traits struct {
	manifest    bool // takes file lists
	hexSums     bool // signed checksums in hex over the raw hash
	nativeName  bool // names the built-in bundle by the native version
	keepChannel bool // keeps its channel itself
	batch       bool // reports in arrays with timestamps
	kinds       bool // tells answers apart by their kind
	looseSum    bool // checks the bundle checksum even after a file list
}

func traitsOf(platform, plugin string) traits {
	if platform == Electron {
		return traits{hexSums: true, keepChannel: true, nativeName: true}
	}
	p, _ := semver.Parse(plugin)
	return traits{
		manifest:    decide.TakesManifest(p),
		hexSums:     decide.TakesHexChecksum(p),
		nativeName:  decide.NamesBuiltinNatively(p),
		keepChannel: decide.StoresChannel(p),
		batch:       since(p, 42, 0),
		kinds:       since(p, 45, 11),
		looseSum:    platform == IOS && !since(p, 51, 23),
	}
}

// since reports whether p has what came to line 8 with 8.minor.patch; lines 5
// to 7 got the same under the same minor numbers.
func since(p semver.Version, minor, patch uint64) bool {
	if p.Major > 8 {
		return true
	}
	return p.Major >= 5 && !p.Less(p.Major, minor, patch)
}
