package decide_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func withID(id int64) func(*decide.Bundle) { return func(b *decide.Bundle) { b.ID = id } }

// lacking is an app whose registered native versions of Android lack what the
// bundles with the ids need.
func lacking(ch *decide.Channel, native string, ids ...int64) *decide.App {
	a := app(ch)
	n := &decide.Native{Lacks: map[int64]string{}}
	for _, id := range ids {
		n.Lacks[id] = "The native app lacks @capacitor/camera"
	}
	a.Natives = decide.Natives{{Platform: decide.Android, Version: version(native)}: n}
	return a
}

func TestNativePackages(t *testing.T) {
	mode := func(m ota.NativeMode) *decide.Channel {
		ch := channel("production", bundle("1.2.0", withID(2)), bundle("1.1.0", withID(1)))
		ch.Policy.NativePackages = m
		return ch
	}
	rolling := mode(ota.NativeEnforce)
	rolling.Rollout = &decide.Rollout{ID: "r", Bundle: bundle("1.3.0", withID(3)), BPS: 10_000, Enabled: true}
	for _, c := range []struct {
		name string
		app  *decide.App
		ask  *decide.Check
		want string
	}{
		{"has all", lacking(mode(ota.NativeEnforce), "1.0.0"), check(), "update 1.2.0"},
		{"gets the one before", lacking(mode(ota.NativeEnforce), "1.0.0", 2), check(), "update 1.1.0"},
		{"enforce is what is not set", lacking(mode(""), "1.0.0", 2), check(), "update 1.1.0"},
		{"no release fits", lacking(mode(ota.NativeEnforce), "1.0.0", 1, 2), check(), "blocked native_packages_missing 1.2.0"},
		{"runs the one before", lacking(mode(ota.NativeEnforce), "1.0.0", 2), check(running("1.1.0")), "blocked native_packages_missing 1.2.0"},
		{"only warned", lacking(mode(ota.NativeWarn), "1.0.0", 2), check(), "update 1.2.0"},
		{"off", lacking(mode(ota.NativeOff), "1.0.0", 2), check(), "update 1.2.0"},
		{"other native version", lacking(mode(ota.NativeEnforce), "0.9.0", 2), check(), "update 1.2.0"},
		{"version in two numbers", lacking(mode(ota.NativeEnforce), "1.0.0", 2), check(native("1.0"), running("1.0")), "update 1.1.0"},
		{"other platform", lacking(mode(ota.NativeEnforce), "1.0.0", 2), check(on(decide.IOS)), "update 1.2.0"},
		{"rollout is passed over", lacking(rolling, "1.0.0", 3), check(), "update 1.2.0"},
		{"withdrawn and nothing fits", lacking(withdrawn(mode(ota.NativeEnforce), "1.4.0"), "1.0.0", 1, 2), check(running("1.4.0")), "revert builtin"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var trace decide.Trace
			out := decide.Decide(c.app, c.ask, &trace)
			if got := told(&out); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if out.Code == decide.CodeNativePackages && !strings.Contains(out.Message, "@capacitor/camera") {
				t.Errorf("the answer does not say what is missing: %q", out.Message)
			}
			if !strings.Contains(fmt.Sprint(trace.Steps), "native packages") != (c.want == "update 1.2.0" && c.name != "only warned" && c.name != "rollout is passed over") {
				t.Errorf("the trace: %v", trace.Steps)
			}
		})
	}
}

// BenchmarkDecideNatives is BenchmarkDecide with 100 native versions registered,
// of which the device's lacks some of 20 bundles.
func BenchmarkDecideNatives(b *testing.B) {
	ch := rollout(bundle("1.1.0", withID(1), keyed("A", "B")), 5000)
	ch.Chain[0].Bundle = bundle("1.0.1", withID(2), keyed("A", "B"))
	a := app(ch)
	a.Devices = facts{}
	n := &decide.Native{Lacks: map[int64]string{}}
	for id := range int64(18) {
		n.Lacks[id+3] = "The native app lacks something"
	}
	a.Natives = decide.Natives{}
	for i := range 100 {
		a.Natives[decide.NativeVersion{Platform: decide.Android, Version: version(fmt.Sprintf("1.%d.0", i))}] = n
	}
	c := check(key("B"))
	b.ReportAllocs()
	for i := uint64(0); b.Loop(); i++ {
		c.Device = device(i)
		if out := decide.Decide(a, c, nil); out.Kind != decide.Update {
			b.Fatal(out.Code)
		}
	}
}
