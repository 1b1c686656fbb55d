package sim

import (
	"bytes"
	"embed"
	"errors"
	"io"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// presets are the scenarios that come with the program. Each file says what
// differs from default.yaml.
//
//go:embed scenarios/*.yaml
var presets embed.FS

// maxScenario bounds a scenario file.
const maxScenario = 1 << 20

// Presets lists the names of the scenarios that come with the program.
func Presets() []string {
	entries, err := presets.ReadDir("scenarios")
	if err != nil {
		return nil
	}
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".yaml"))
	}
	return names
}

// Preset returns a scenario that comes with the program.
func Preset(name string) (Scenario, error) {
	if !slices.Contains(Presets(), name) {
		return Scenario{}, ota.NotFound("scenario_not_found", "there is no scenario %q", name).
			WithHint("the scenarios are %s; a file is named by its path with a dot in it", strings.Join(Presets(), ", ")).WithField("scenario")
	}
	text, err := presets.ReadFile(path.Join("scenarios", name+".yaml"))
	if err != nil {
		return Scenario{}, err
	}
	if name == "default" {
		return decode(Scenario{}, text)
	}
	return Parse(text)
}

// Parse reads a scenario in YAML or JSON. What it does not say is as in the
// default one. A field that does not exist, and a value that makes no sense,
// are errors of KindInvalid.
func Parse(text []byte) (Scenario, error) {
	if len(text) > maxScenario {
		return Scenario{}, ota.Errorf(ota.KindTooLarge, "scenario_too_large", "a scenario has at most %d bytes", maxScenario)
	}
	base, err := Preset("default")
	if err != nil {
		return Scenario{}, err
	}
	base.Name, base.About = "custom", ""
	return decode(base, text)
}

func decode(s Scenario, text []byte) (Scenario, error) {
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(&s); err != nil && !errors.Is(err, io.EOF) {
		return Scenario{}, ota.Invalid("scenario_invalid", "the scenario cannot be read: %s", strings.TrimPrefix(err.Error(), "yaml: ")).WithCause(err)
	}
	return s, s.Check()
}
