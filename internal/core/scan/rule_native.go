package scan

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/tdewolff/parse/v2/js"

	"github.com/waxwing-ota/waxwing/internal/core/scan/jsast"
)

func nativeContent() detector {
	return detector{rule: "ST-001", name: nativeName, file: nativeBytes}
}

// nativeName tells by the name alone, for files that are empty or disguised.
func nativeName(f *file) {
	low := strings.ToLower(f.path)
	if i := strings.Index(low+"/", ".framework/"); i >= 0 {
		f.report(hit{rule: "ST-001", at: -1, text: "framework"}, "a native framework: %s", clip(f.path[:min(i+10, len(f.path))]))
	}
}

func nativeBytes(f *file) {
	if f.kind == kindNative {
		f.report(hit{rule: "ST-001", at: 0, text: f.format}, "native executable content: %s", f.format)
		return
	}
	switch e := ext(f.path); e {
	case "so", "dylib", "dll", "exe", "dex", "class", "node":
		if e != "so" || f.kind != kindText { // .so is also a page of Somali text
			f.report(hit{rule: "ST-001", at: -1, text: e}, "a file with the name of a native library (.%s)", e)
		}
	case "apk", "aab", "aar", "jar", "ipa", "xapk":
		f.report(hit{rule: "ST-001", at: -1, text: e}, "a package of native code (.%s)", e)
	}
	if strings.HasPrefix(string(f.data[:min(len(f.data), 2)]), "#!") && f.kind != kindScript {
		f.report(hit{rule: "ST-001", at: 0, severity: Warn, text: "interpreter"}, "a script for the system's interpreter")
	}
}

func webAssembly() detector {
	return detector{
		rule: "ST-002",
		file: func(f *file) {
			if f.kind != kindWasm {
				return
			}
			sum := sha256.Sum256(f.data)
			digest := hex.EncodeToString(sum[:])
			if slices.Contains(f.e.opts.Allowed.Wasm, digest) {
				return
			}
			f.report(hit{rule: "ST-002", at: -1, text: "module"}, "a WebAssembly module; SHA-256 %s", digest)
		},
		members: map[string]func(*script, js.IExpr, int){
			"compile": wasmMember, "instantiate": wasmMember, "compileStreaming": wasmMember,
			"instantiateStreaming": wasmMember, "Module": wasmMember, "Instance": wasmMember,
		},
	}
}

func wasmMember(s *script, e js.IExpr, at int) {
	if jsast.IsFree(jsast.Object(e), "WebAssembly") {
		s.f.report(hit{rule: "ST-002", at: s.at(at), text: "WebAssembly." + string(jsast.Name(e))}, "WebAssembly.%s is used", jsast.Name(e))
	}
}
