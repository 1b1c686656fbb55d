package capconfig

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Value is a setting of a configuration. The zero Value is "not set".
type Value struct {
	Text     string // the string, or the source of a number or word; "" if computed
	Computed bool   // set, but by an expression that was not run
}

// IsSet reports whether the configuration has the setting at all.
func (v Value) IsSet() bool { return v.Computed || v.Text != "" }

// Config is what a Capacitor configuration says.
type Config struct {
	Path  string // of the file
	JSON  bool   // it is JSON and may be edited; otherwise it is a script
	AppID Value
	// AppName and WebDir are the display name and the folder of the web build.
	AppName, WebDir Value
	ServerURL       Value // server.url; live updates are off while it is set
	// Where web code runs: another origin loses what the app stored.
	Hostname, IOSScheme, AndroidScheme Value

	Updater Updater
	Notes   []string // what could not be read for sure
}

// Updater is plugins.CapacitorUpdater.
type Updater struct {
	UpdateURL, StatsURL, ChannelURL Value
	PublicKey                       Value
	AppID, Version                  Value
	DefaultChannel                  Value
	AutoUpdate, DirectUpdate        Value
	ResponseTimeout                 Value
}

// names are the configuration's file names in Capacitor's own order.
func names() []string {
	return []string{"capacitor.config.ts", "capacitor.config.js", "capacitor.config.json"}
}

// maxFile bounds every file that is read.
const maxFile = 4 << 20

// Find returns the path of dir's configuration, the first that Capacitor would
// take; KindNotFound (capacitor_config_missing) if there is none.
func Find(dir string) (string, error) {
	for _, name := range names() {
		path := filepath.Join(dir, name)
		if st, err := os.Stat(path); err == nil && st.Mode().IsRegular() {
			return path, nil
		}
	}
	return "", ota.NotFound("capacitor_config_missing", "no capacitor.config.ts, .js or .json in %s", dir).
		WithHint("run this in the folder of your Capacitor app, or name it with --dir")
}

// ReadConfig reads the configuration at path. A file that is not there is
// KindNotFound, JSON that does not parse KindInvalid (capacitor_config_invalid).
func ReadConfig(path string) (*Config, error) {
	src, err := readFile(path)
	if err != nil {
		return nil, err
	}
	c := &Config{Path: path, JSON: filepath.Ext(path) == ".json"}
	if c.JSON {
		if err := checkJSON(src); err != nil {
			return nil, ota.Invalid("capacitor_config_invalid", "%s is not valid JSON: %s", path, err).
				WithHint("Capacitor cannot read it either: repair it first")
		}
	}
	c.fill(objects(string(src)))
	return c, nil
}

// checkJSON reports where JSON goes wrong, by line.
func checkJSON(src []byte) error {
	var v map[string]any
	err := json.Unmarshal(src, &v)
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		line := 1
		for _, c := range src[:min(int(syntax.Offset), len(src))] {
			if c == '\n' {
				line++
			}
		}
		return fmt.Errorf("line %d: %w", line, err)
	}
	return err
}

// readFile reads a bounded regular file.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, ota.NotFound("file_missing", "%s does not exist", path).WithHint("name the folder of the app with --dir")
		}
		return nil, ota.Invalid("file_unreadable", "cannot read %s: %s", path, err).WithHint("check that you may read it")
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	switch {
	case err != nil:
		return nil, ota.Invalid("file_unreadable", "cannot read %s: %s", path, err).WithHint("check that you may read it")
	case len(b) > maxFile:
		return nil, ota.Errorf(ota.KindTooLarge, "file_too_large", "%s is over %d bytes", path, maxFile).WithHint("a configuration is small: is this the right file?")
	}
	return b, nil
}

// fill takes each setting from the first object that has it. Several objects
// that disagree (one per environment, say) make it computed.
func (c *Config) fill(objects []*node) {
	objects = slices.DeleteFunc(objects, func(n *node) bool {
		return n.get("appId") == nil && n.get("plugins") == nil && n.get("webDir") == nil
	})
	if len(objects) == 0 {
		c.Notes = append(c.Notes, "found no object with appId, webDir or plugins")
	}
	lookup := func(path ...string) (v Value) {
		for _, n := range objects {
			found := n.get(path...)
			if found == nil || found.kind == nodeWord && (found.text == "null" || found.text == "undefined") {
				continue
			}
			w := Value{Text: found.text, Computed: found.kind != nodeString && found.kind != nodeWord}
			if v.IsSet() && v != w {
				return Value{Computed: true}
			}
			v = w
		}
		return v
	}
	c.AppID, c.AppName, c.WebDir = lookup("appId"), lookup("appName"), lookup("webDir")
	c.ServerURL = lookup("server", "url")
	c.Hostname, c.IOSScheme, c.AndroidScheme = lookup("server", "hostname"), lookup("server", "iosScheme"), lookup("server", "androidScheme")
	option := func(name string) Value { return lookup("plugins", "CapacitorUpdater", name) }
	c.Updater = Updater{
		UpdateURL: option("updateUrl"), StatsURL: option("statsUrl"), ChannelURL: option("channelUrl"),
		PublicKey: option("publicKey"), AppID: option("appId"), Version: option("version"),
		DefaultChannel: option("defaultChannel"), AutoUpdate: option("autoUpdate"),
		DirectUpdate: option("directUpdate"), ResponseTimeout: option("responseTimeout"),
	}
	for _, path := range [][]string{{"plugins"}, {"plugins", "CapacitorUpdater"}} {
		if lookup(path...).Computed && !anyObject(objects, path) {
			c.Notes = append(c.Notes, path[len(path)-1]+" is computed; its options were not read")
		}
	}
}

func anyObject(objects []*node, path []string) bool {
	return slices.ContainsFunc(objects, func(n *node) bool {
		v := n.get(path...)
		return v != nil && v.kind == nodeObject
	})
}

// EffectiveAppID is what devices send as app_id: the plug-in's own setting,
// else the app's.
func (c *Config) EffectiveAppID() Value {
	if c.Updater.AppID.IsSet() {
		return c.Updater.AppID
	}
	return c.AppID
}
