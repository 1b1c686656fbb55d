package capconfig

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Setting is one option of plugins.CapacitorUpdater.
type Setting struct {
	Name  string
	Value string
}

// EditJSON returns the JSON configuration src with the settings set in
// plugins.CapacitorUpdater. All other bytes stay as they are. Input that is no
// JSON object, or whose plugins are not objects, is KindInvalid.
func EditJSON(src []byte, settings []Setting) ([]byte, error) {
	if err := checkJSON(src); err != nil {
		return nil, ota.Invalid("capacitor_config_invalid", "not valid JSON: %s", err).WithHint("repair the file first")
	}
	text := string(src)
	for _, s := range settings {
		var err error
		if text, err = setOption(text, s); err != nil {
			return nil, err
		}
	}
	if err := checkJSON([]byte(text)); err != nil {
		return nil, ota.Errorf(ota.KindInternal, "edit_failed", "the edited configuration is not valid JSON").WithCause(err)
	}
	return []byte(text), nil
}

// setOption replaces or inserts one string in plugins.CapacitorUpdater.
func setOption(text string, s Setting) (string, error) {
	roots := objects(text)
	if len(roots) == 0 {
		return "", ota.Invalid("capacitor_config_invalid", "the configuration is nested too deep to edit").WithHint("put the settings in by hand")
	}
	at, path := roots[0], []string{"plugins", "CapacitorUpdater", s.Name}
	for len(path) > 1 {
		next := at.get(path[0])
		if next == nil {
			break
		}
		if next.kind != nodeObject {
			return "", ota.Invalid("capacitor_config_invalid", "%q is not an object", path[0]).WithHint("put the settings in by hand")
		}
		at, path = next, path[1:]
	}
	if len(path) == 1 {
		if old := at.get(s.Name); old != nil {
			return text[:old.start] + quote(s.Value) + text[old.end:], nil
		}
	}
	return insert(text, at, path, s.Value), nil
}

// insert adds a member at the end of the object at, with the objects of path
// that are still missing around it.
func insert(text string, at *node, path []string, value string) string {
	step := indentStep(text)
	outer := lineIndent(text, at.end-1)
	oneLine := !strings.Contains(text[at.start:at.end], "\n") && len(at.members) > 0
	body := member2text(path, value, outer+step, step)
	end := at.end - 1 // of the closing brace
	head := strings.TrimRight(text[:end], " \t\r\n")
	switch {
	case oneLine:
		return head + ", " + body + " " + text[end:]
	case len(at.members) == 0:
		return head + "\n" + outer + step + body + "\n" + outer + text[end:]
	default:
		return head + ",\n" + outer + step + body + "\n" + outer + text[end:]
	}
}

func member2text(path []string, value, indent, step string) string {
	if len(path) == 1 {
		return quote(path[0]) + ": " + quote(value)
	}
	return fmt.Sprintf("%s: {\n%s%s\n%s}", quote(path[0]), indent+step, member2text(path[1:], value, indent+step, step), indent)
}

// indentStep returns the indentation of the first indented line.
func indentStep(text string) string {
	for line := range strings.Lines(text) {
		body := strings.TrimLeft(line, " \t")
		if n := len(line) - len(body); n > 0 && strings.TrimSpace(body) != "" {
			return line[:n]
		}
	}
	return "  "
}

// lineIndent returns the white space at the start of the line of offset i.
func lineIndent(text string, i int) string {
	line := text[strings.LastIndexByte(text[:i], '\n')+1 : i]
	return line[:len(line)-len(strings.TrimLeft(line, " \t"))]
}

// quote writes s as a JSON string and leaves <, > and & readable.
func quote(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string always encodes
	return strings.TrimSuffix(b.String(), "\n")
}
