package control_test

import (
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/semver"
	"github.com/waxwing-ota/waxwing/internal/plane/control"
)

func TestNatives(t *testing.T) {
	e := newEnv(t)
	in := ota.NewNativeBuild{Platform: "android", Version: "2.3", Packages: []ota.NativePackage{{Name: "b", Version: "1.0.0"}, {Name: "a", Version: "1.0.0"}}}
	n, created, err := e.RegisterNative(t.Context(), actor, app, in)
	if err != nil || !created || n.Version != "2.3.0" || n.Packages[0].Name != "a" || n.Print.IsZero() {
		t.Fatalf("%+v %v %v", n, created, err)
	}
	in.Packages[0], in.Packages[1] = in.Packages[1], in.Packages[0]
	if _, created, err = e.RegisterNative(t.Context(), actor, app, in); err != nil || created {
		t.Fatalf("the same again: %v %v", created, err)
	}
	key := decide.NativeVersion{Platform: "android", Version: semver.Version{Major: 2, Minor: 3}}
	if e.snap.App(app).Natives[key] == nil {
		t.Error("the snapshot does not know it")
	}
	list, err := e.NativeBuilds(t.Context(), app, prod)
	if err != nil || len(list) != 1 || list[0].Print != n.Print || list[0].Packages[1].Name != "b" {
		t.Errorf("%+v %v", list, err)
	}
	for _, c := range []struct {
		name, code string
		change     func(*ota.NewNativeBuild)
	}{
		{"other packages", control.CodeNativeExists, func(in *ota.NewNativeBuild) { in.Packages = in.Packages[:1] }},
		{"platform", control.CodePlatformInvalid, func(in *ota.NewNativeBuild) { in.Platform = "electron" }},
		{"no version", control.CodeNativeInvalid, func(in *ota.NewNativeBuild) { in.Version = "" }},
		{"builtin", control.CodeNativeInvalid, func(in *ota.NewNativeBuild) { in.Version = "builtin" }},
		{"twice", control.CodeNameInvalid, func(in *ota.NewNativeBuild) { in.Packages = append(in.Packages, in.Packages[0]) }},
		{"no name", control.CodeNameInvalid, func(in *ota.NewNativeBuild) { in.Packages = []ota.NativePackage{{Version: "1"}} }},
		{"too many", control.CodeTextTooLong, func(in *ota.NewNativeBuild) { in.Packages = make([]ota.NativePackage, 1001) }},
		{"setting", control.CodeTextTooLong, func(in *ota.NewNativeBuild) { in.Config = map[string]string{"": "x"} }},
	} {
		in := in
		c.change(&in)
		if _, _, err := e.RegisterNative(t.Context(), actor, app, in); ota.CodeOf(err) != c.code {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if err := e.DeleteNative(t.Context(), actor, app, "android", "2.3"); err != nil {
		t.Fatal(err)
	}
	if err := e.DeleteNative(t.Context(), actor, app, "android", "2.3"); ota.CodeOf(err) != control.CodeNativeNotFound {
		t.Error(err)
	}
	if len(e.snap.App(app).Natives) != 0 {
		t.Error("the snapshot still knows it")
	}
}
