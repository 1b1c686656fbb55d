package ota_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func TestTakenBack(t *testing.T) {
	r := func(version string, kind ota.ReleaseKind) ota.Release {
		return ota.Release{Version: version, Kind: kind}
	}
	good, bad, again := r("1.0.0", ota.ReleasePublish), r("1.1.0", ota.ReleasePublish), r("1.0.0", ota.ReleaseRollback)
	for name, c := range map[string]struct {
		history []ota.Release
		want    map[string]ota.Release
	}{
		"nothing":        {nil, map[string]ota.Release{}},
		"served":         {[]ota.Release{bad, good}, map[string]ota.Release{}},
		"taken back":     {[]ota.Release{again, bad, good}, map[string]ota.Release{"1.1.0": again}},
		"released again": {[]ota.Release{bad, again, bad, good}, map[string]ota.Release{}},
		"and back again": {[]ota.Release{again, bad, again, bad, good}, map[string]ota.Release{"1.1.0": again}},
		"cut off":        {[]ota.Release{again}, map[string]ota.Release{}},
		"builtin":        {[]ota.Release{again, r(ota.Builtin, ota.ReleasePublish)}, map[string]ota.Release{}},
	} {
		if diff := cmp.Diff(c.want, ota.TakenBack(c.history)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
