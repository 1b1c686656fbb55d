package snap

import (
	"fmt"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/native"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/semver"
)

// buildNatives works out what each registered native version lacks of what the
// bundles need. Versions that offer the same share one result: most releases of
// a native app change no plug-in.
func buildNatives(l Loaded) decide.Natives {
	if len(l.Natives) == 0 {
		return nil
	}
	needs := map[string][]int64{} // ids of the bundles that need the same
	list := map[string][]ota.NativePackage{}
	for id, b := range l.Bundles {
		if len(b.NativePackages) > 0 {
			key := fmt.Sprintf("%q", b.NativePackages)
			needs[key], list[key] = append(needs[key], id), b.NativePackages
		}
	}
	out := make(decide.Natives, len(l.Natives))
	same := map[string]*decide.Native{}
	for i := range l.Natives {
		n := &l.Natives[i]
		v, ok := semver.Native(n.Version)
		if !ok {
			continue // was refused when it was registered
		}
		key := n.Platform + " " + fmt.Sprintf("%q", n.Packages)
		if same[key] == nil {
			same[key] = &decide.Native{Lacks: lacksOf(n, needs, list)}
		}
		out[decide.NativeVersion{Platform: n.Platform, Version: v}] = same[key]
	}
	return out
}

func lacksOf(n *ota.NativeBuild, needs map[string][]int64, list map[string][]ota.NativePackage) map[int64]string {
	var out map[int64]string
	for key, ids := range needs {
		lacks := native.Lacks(list[key], n.Platform, n.Packages)
		if len(lacks) == 0 {
			continue
		}
		if out == nil {
			out = map[int64]string{}
		}
		text := lackText(lacks)
		for _, id := range ids {
			out[id] = text
		}
	}
	return out
}

// lackText is what devices and traces are told, the first few of the lacks.
func lackText(lacks []native.Lack) string {
	const most = 5
	var parts []string
	for _, l := range lacks[:min(len(lacks), most)] {
		parts = append(parts, l.String())
	}
	text := "The native app lacks what the bundle needs: " + strings.Join(parts, "; ")
	if n := len(lacks) - most; n > 0 {
		text += fmt.Sprintf("; and %d more", n)
	}
	return text
}
