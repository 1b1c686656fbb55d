package errgroup

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func jsError(meta ...string) Report {
	r := Report{Action: "webview_javascript_error", Metadata: map[string]string{}}
	for i := 0; i < len(meta); i += 2 {
		r.Metadata[meta[i]] = meta[i+1]
	}
	return r
}

func TestReadStacks(t *testing.T) {
	own := func(name, file string, line, col int) ota.ErrorFrame {
		return ota.ErrorFrame{Func: name, File: file, Line: line, Col: col, InApp: true}
	}
	lib := func(name, file string, line, col int) ota.ErrorFrame {
		return ota.ErrorFrame{Func: name, File: file, Line: line, Col: col}
	}
	for _, tc := range []struct {
		name string
		in   Report
		want Trace
	}{
		{
			"V8",
			jsError("message", "Uncaught TypeError: Cannot read properties of undefined (reading 'total')", "stack",
				"TypeError: Cannot read properties of undefined (reading 'total')\n"+
					"    at Object.checkout [as pay] (https://localhost/main.8f3a9b2c.js?v=1:1:2345)\n"+
					"    at async https://localhost/main.8f3a9b2c.js:1:99\n    at new Cart (https://localhost/a b.js:2:7)\n"+
					"    at Array.forEach (<anonymous>)\n    at eval (eval at run (https://localhost/x.js:3:4), <anonymous>:1:1)\n"+
					"    at HTMLButtonElement.onclick (https://localhost/node_modules/z/z.js:9:9)\n    at Promise.all (index 0)"),
			Trace{"webview_javascript_error", "TypeError", "Cannot read properties of undefined (reading 'total')", []ota.ErrorFrame{
				own("checkout", "main.8f3a9b2c.js", 1, 2345), own("", "main.8f3a9b2c.js", 1, 99), own("Cart", "a b.js", 2, 7),
				lib("Array.forEach", "<anonymous>", 0, 0), own("eval", "x.js", 3, 4), lib("HTMLButtonElement.onclick", "node_modules/z/z.js", 9, 9),
				lib("Promise.all", "<anonymous>", 0, 0),
			}},
		},
		{
			"JavaScriptCore",
			jsError("error_type", "TypeError", "message", "undefined is not an object (evaluating 'a.total')", "stack",
				"checkout@capacitor://localhost/main.js:1:2345\ncapacitor://localhost/main.js:1:99\n@capacitor://localhost/main.js:1:7\n"+
					"forEach@[native code]\nglobal code@capacitor://localhost/main.js:1:1"),
			Trace{"webview_javascript_error", "TypeError", "undefined is not an object (evaluating 'a.total')", []ota.ErrorFrame{
				own("checkout", "main.js", 1, 2345), own("", "main.js", 1, 99), own("", "main.js", 1, 7), lib("forEach", "[native code]", 0, 0), own("", "main.js", 1, 1),
			}},
		},
		{
			"no stack",
			jsError("message", "Script error.", "source", "capacitor://localhost/assets/app.js#x", "line", "12", "column", "-4"),
			Trace{"webview_javascript_error", "", "Script error.", []ota.ErrorFrame{own("", "assets/app.js", 12, 0)}},
		},
		{
			"Java with a cause",
			Report{"app_crash", map[string]string{"exit_description": "java.lang.RuntimeException: Unable to start\n\tat android.app.ActivityThread.main(ActivityThread.java:8000)\n" +
				"Caused by: java.lang.IllegalStateException: no key\n\tat com.example.shop.Cart.total(Cart.kt:41)\n" +
				"\tat com.example.shop.Cart$$ExternalSyntheticLambda3.run(Unknown Source:2)\n\tat java.lang.Thread.run(Native Method)\n\t... 11 more"}},
			Trace{"app_crash", "java.lang.IllegalStateException", "no key", []ota.ErrorFrame{
				own("com.example.shop.Cart.total", "Cart.kt", 41, 0), own("com.example.shop.Cart$lambda.run", "Unknown Source", 2, 0), lib("java.lang.Thread.run", "Native Method", 0, 0),
			}},
		},
		{
			"native code of Android",
			Report{"app_crash_native", map[string]string{"exit_reason": "crash_native", "exit_description": "signal 11 (SIGSEGV)\n" +
				"#00 pc 000000000004f7b8  /data/app/x/lib/arm64/libshop.so (cart_total+168)\n#01 pc 00000000000b1c  /system/lib64/libc.so (BuildId: 8f)\n"}},
			Trace{"app_crash_native", "crash_native", "signal 11 (SIGSEGV)", []ota.ErrorFrame{own("cart_total", "libshop.so", 0, 0), lib("", "libc.so", 0, 0)}},
		},
		{
			"iOS",
			Report{"app_crash", map[string]string{"stack": "Process:  My Shop [123]\nException Type:  EXC_CRASH (SIGABRT)\nTermination Reason: out of patience\n\nThread 0 Crashed:\n" +
				"0   libsystem_kernel.dylib  0x00000001b8 __pthread_kill + 8\n1   My Shop  0x0000000104 cart.total() + 124 (Cart.swift:42)\n2   My Shop 0x0000000105 My Shop + 4096"}},
			Trace{"app_crash", "EXC_CRASH (SIGABRT)", "out of patience", []ota.ErrorFrame{
				lib("__pthread_kill", "libsystem_kernel.dylib", 0, 0), own("cart.total()", "Cart.swift", 42, 0), own("", "My Shop", 0, 0),
			}},
		},
		{
			"exception of iOS",
			Report{"app_crash", map[string]string{"stack": "*** Terminating app due to uncaught exception 'NSRangeException', reason: 'index 4 beyond bounds'"}},
			Trace{"app_crash", "NSRangeException", "index 4 beyond bounds", nil},
		},
		{
			"a file that did not load",
			Report{"webview_resource_error", map[string]string{"tag_name": "img", "source": "https://cdn.example.com/a/logo.png?x=1"}},
			Trace{"webview_resource_error", "", "img a/logo.png", nil},
		},
		{"nothing", Report{Action: "app_anr"}, Trace{Kind: "app_anr"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, Read(tc.in)); diff != "" {
				t.Errorf("trace (-want +got):\n%s", diff)
			}
		})
	}
}

func TestKinds(t *testing.T) {
	for _, k := range Kinds() {
		if !Reports(k) {
			t.Errorf("%s is no error", k)
		}
	}
	for _, k := range []string{"", "set", "update_fail", "webview_page_loaded", "app_memory_warning"} {
		if Reports(k) {
			t.Errorf("%s is an error", k)
		}
	}
}

func TestPlainFile(t *testing.T) {
	for in, want := range map[string]string{
		"main.8f3a9b2c.js": "main.js", "assets/index-B2x_9fQ1.js": "assets/index.js", "chunk-ABCDEFGH.js": "chunk.js", "main.js": "main.js",
		"412.8f3a9b2c.js": "*.js", "412.js": "*.js", "8f3a9b2c8f3a9b2c.js": "*.js", "my-checkout.js": "my-checkout.js", "app-Settings.js": "app-Settings.js",
		"polyfills.es5.js": "polyfills.es5.js", "src/cart.page.ts": "src/cart.page.ts", "": "", "index-C-_aB12x.js": "index.js",
	} {
		if got := plainFile(in); got != want {
			t.Errorf("plainFile(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestPlainMessage(t *testing.T) {
	for in, want := range map[string]string{
		"order 4711 of 6f9619ff-8b86-d011-b42d-00cf4fc964ff failed": "order # of <id> failed",
		"cannot load https://api.example.com/v1/x?y=2 now":          "cannot load <address> now",
		"at 0x7ffe12ab34, com.example.Cart@1f2e3d4":                 "at <id>, com.example.Cart@<id>",
		"item12 is missing":           "item# is missing",
		"état inconnu 5":              "état inconnu #",
		"facade decade added feedbed": "facade decade added feedbed",
	} {
		if got := plainMessage(in); got != want {
			t.Errorf("plainMessage(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestBounds(t *testing.T) {
	for name, r := range map[string]Report{
		"a stack of a megabyte":      jsError("stack", strings.Repeat("    at f (https://localhost/a.js:1:1)\n", 30_000)),
		"one line of a megabyte":     jsError("stack", strings.Repeat("x", 1<<20)),
		"a message of a megabyte":    jsError("message", strings.Repeat("é", 1<<19)),
		"a file of a megabyte":       jsError("source", "https://h/"+strings.Repeat("a/", 1<<19), "line", strings.Repeat("9", 1<<20)),
		"causes without end":         {"app_crash", map[string]string{"exit_description": strings.Repeat("Caused by: a.BException: ", 1<<16)}},
		"colons, brackets, at signs": {"app_crash", map[string]string{"stack": strings.Repeat("at ((((@:::", 1<<16)}},
	} {
		t.Run(name, func(t *testing.T) {
			tr := Read(r)
			g := Of(&tr)
			if len(tr.Frames) > maxFrames || len(tr.Message) > maxText || len(g.Title) > maxTitle || len(g.Culprit) > maxCulprit {
				t.Errorf("%d frames, message of %d, title of %d, culprit of %d bytes", len(tr.Frames), len(tr.Message), len(g.Title), len(g.Culprit))
			}
		})
	}
}

func FuzzRead(f *testing.F) {
	f.Add("webview_javascript_error", "TypeError: a", "    at f (https://localhost/a.js:1:1)\nf@capacitor://localhost/main.js:1:2", "https://localhost/a.js", "3")
	f.Add("app_crash", "", "Caused by: java.lang.E: x\n\tat a.b.C.d(E.java:5)\n#00 pc 01  /data/app/x.so (f+1)\n0 My App 0x01 f + 1 (C.swift:4)", "", "")
	f.Add("webview_resource_error", "<script>alert(1)</script>", "", "://", "-1")
	f.Fuzz(func(t *testing.T, action, message, stack, source, line string) {
		tr := Read(Report{action, map[string]string{"message": message, "stack": stack, "source": source, "line": line, "exit_description": stack}})
		g := Of(&tr)
		if g != Of(&tr) {
			t.Fatal("two groups of one trace")
		}
		for _, s := range []string{g.Title, g.Culprit} {
			if strings.ContainsAny(s, "\n\r\x00\x1b") {
				t.Fatalf("%q has control characters", s)
			}
		}
		for i := range tr.Frames {
			if fr := &tr.Frames[i]; fr.Line < 0 || fr.Col < 0 || len(fr.File) > maxName || len(fr.Func) > maxName {
				t.Fatalf("frame %+v", fr)
			}
		}
	})
}
