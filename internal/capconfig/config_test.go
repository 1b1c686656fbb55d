package capconfig

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func lit(s string) Value { return Value{Text: s} }

func TestReadConfigScripts(t *testing.T) {
	computed := Value{Computed: true}
	tests := []struct {
		name, src string
		want      Config
	}{
		{"typed const, the usual file", `
import type { CapacitorConfig } from '@capacitor/cli';
// appId: 'com.comment.no'
const config: CapacitorConfig = {
  appId: 'com.example.app', /* webDir: "no" */
  appName: "It's \"mine\"",
  webDir: 'dist',
  plugins: {
    CapacitorUpdater: {
      autoUpdate: true,
      updateUrl: 'https://up.example.com/updates',
      publicKey: '-----BEGIN RSA PUBLIC KEY-----\nAAA\n-----END RSA PUBLIC KEY-----\n',
      responseTimeout: 30,
    },
  },
};
export default config;`, Config{
			AppID: lit("com.example.app"), AppName: lit(`It's "mine"`), WebDir: lit("dist"),
			Updater: Updater{
				AutoUpdate: lit("true"), UpdateURL: lit("https://up.example.com/updates"), ResponseTimeout: lit("30"),
				PublicKey: lit("-----BEGIN RSA PUBLIC KEY-----\nAAA\n-----END RSA PUBLIC KEY-----\n"),
			},
		}},
		{"module.exports, quoted keys, template and concatenation", "module.exports = {\n'appId': `com.a.b`, \"plugins\": {CapacitorUpdater: {publicKey: 'a\\n' +\n 'b' + `c`, statsUrl: '' }}}", Config{
			AppID: lit("com.a.b"), Updater: Updater{PublicKey: lit("a\nbc")},
		}},
		{"a named constant", `const KEY: string = "k1"; const other = f(); export default {appId: KEY, plugins: {CapacitorUpdater: {publicKey: other, KEY}}}`, Config{
			AppID: lit("k1"), Updater: Updater{PublicKey: computed},
		}},
		{"expressions stay unknown", `export default defineConfig({
  appId: process.env.APP_ID ?? 'com.no.no', webDir: 'a' + suffix, ...more,
  appName: cond ? "x" : "y",
  server: { url: ` + "`http://${host}:3000`" + `, cleartext: true },
  onBuild() { return { appId: 'com.inner.no' } },
  plugins: { CapacitorUpdater: { updateUrl: url("/updates"), statsUrl: 's' as const, defaultChannel: 'beta' satisfies string } },
})`, Config{
			AppID: computed, WebDir: computed, AppName: computed, ServerURL: computed,
			Updater: Updater{UpdateURL: computed, StatsURL: lit("s"), DefaultChannel: lit("beta")},
		}},
		{"an arrow function that returns it", `export default () => { return { appId: 'com.arrow.app' } }`, Config{AppID: lit("com.arrow.app")}},
		{"objects that disagree", `const dev = {appId:'com.a.dev', webDir:'www'}; const prod = {appId:'com.a.prod', webDir:'www'}`, Config{AppID: computed, WebDir: lit("www")}},
		{"a cast", `const c = <CapacitorConfig>{ appId: 'com.cast.app' }`, Config{AppID: lit("com.cast.app")}},
		{"computed plugins", `export default { appId: 'a.b', plugins: load() }`, Config{AppID: lit("a.b"), Notes: []string{"plugins is computed; its options were not read"}}},
		{"null is not set", `export default { appId: 'a.b', webDir: null }`, Config{AppID: lit("a.b")}},
		{"a stray quote ends with its line", "if (/don't/.test(x)) {}\nexport default { appId: 'com.stray.app' }", Config{AppID: lit("com.stray.app")}},
		{"nothing there", `console.log('it`, Config{Notes: []string{"found no object with appId, webDir or plugins"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.want.Path = write(t, filepath.Join(t.TempDir(), "capacitor.config.ts"), tt.src)
			got, err := ReadConfig(tt.want.Path)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(&tt.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestReadConfigJSON(t *testing.T) {
	path := filepath.Join(t.TempDir(), "capacitor.config.json")
	write(t, path, `{"appId":"com.a.b","webDir":"www","plugins":{"CapacitorUpdater":{"appId":"com.plugin.id","autoUpdate":"off","publicKey":"A\u000aB \ud83d\ude00"}}}`)
	c, err := ReadConfig(path)
	if err != nil {
		t.Fatal(err)
	}
	if !c.JSON || c.EffectiveAppID() != lit("com.plugin.id") || c.Updater.AutoUpdate != lit("off") || c.Updater.PublicKey != lit("A\nB \U0001F600") {
		t.Errorf("got %+v", c)
	}

	write(t, path, "{\n\"appId\": \"com.a.b\",\n}")
	_, err = ReadConfig(path)
	if ota.CodeOf(err) != "capacitor_config_invalid" || !strings.Contains(err.Error(), "line 3") {
		t.Errorf("broken JSON: %v", err)
	}
	if _, err := ReadConfig(filepath.Join(t.TempDir(), "none.json")); ota.KindOf(err) != ota.KindNotFound {
		t.Errorf("missing file: %v", err)
	}
	write(t, path, strings.Repeat(" ", maxFile+1))
	if _, err := ReadConfig(path); ota.KindOf(err) != ota.KindTooLarge {
		t.Errorf("huge file: %v", err)
	}
}

func TestFindPrefersScript(t *testing.T) {
	dir := t.TempDir()
	if _, err := Find(dir); ota.CodeOf(err) != "capacitor_config_missing" {
		t.Fatalf("empty folder: %v", err)
	}
	write(t, filepath.Join(dir, "capacitor.config.json"), "{}")
	want := write(t, filepath.Join(dir, "capacitor.config.ts"), "")
	if got, err := Find(dir); err != nil || got != want {
		t.Errorf("got %q, %v; want %q, as Capacitor itself would take", got, err, want)
	}
}

func FuzzObjects(f *testing.F) {
	f.Add(`const c: T = { appId: 'a.b', plugins: { x: [1, {y: "z" + 'w'}], f() {} , ...s } }`)
	f.Add("export default {a:`x${`y`}`, b: '\\u{1F600}\\uD83D\\uDE00\\x41\\\n', c: /* */ -1 }")
	f.Add("0({0:")
	f.Add(strings.Repeat("={", 500))
	f.Add(strings.Repeat("({a:[", 200) + strings.Repeat("]})", 100))
	f.Fuzz(func(t *testing.T, src string) {
		for _, n := range objects(src) {
			checkNode(t, src, n, 0)
		}
	})
}

func checkNode(t *testing.T, src string, n *node, depth int) {
	if depth > maxDepth+1 {
		t.Fatalf("nested deeper than the limit")
	}
	if n.kind == nodeObject && (n.start < 0 || n.end > len(src) || src[n.start] != '{' || src[n.end-1] != '}') {
		t.Fatalf("object at %d:%d is not in braces", n.start, n.end)
	}
	for _, m := range n.members {
		checkNode(t, src, m.value, depth+1)
	}
}

// Sources made to be read again and again take time in proportion to their
// size: this test ends, or the limits are gone.
func TestObjectsIsLinear(t *testing.T) {
	const n = 1 << 18
	for _, part := range []string{`={`, `'\`, "`\\", `({a:[`, `({a:b(`, `const a="b";`, `={a:"` + `"+"`} {
		src := strings.Repeat(part, n/len(part))
		if len(objects(src)) > len(src) {
			t.Fatal("more objects than bytes")
		}
	}
}
