package errgroup

import (
	"strconv"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Bounds of what is read of a report.
const (
	maxStack   = 16 << 10
	maxFrames  = 64
	maxText    = 1024 // of a message
	maxName    = 200  // of a function, file or type
	maxTitle   = 240
	maxCulprit = 200
)

// Report is what a device said about an error.
type Report struct {
	Action   string
	Metadata map[string]string
}

// Trace is a report that was read. Frames are innermost first.
type Trace struct {
	Kind    string // the action
	Type    string // such as TypeError or java.lang.IllegalStateException; "" = unknown
	Message string
	Frames  []ota.ErrorFrame
}

// family is how the reports of an action are read.
type family uint8

const (
	none    family = iota
	script         // an error in the page
	request        // something the page asked for or was refused
	process        // the end of a process
)

func familyOf(action string) family {
	switch action {
	case "webview_javascript_error", "webview_unhandled_rejection":
		return script
	case "webview_resource_error", "webview_security_policy_violation":
		return request
	case "app_crash", "app_crash_native", "app_anr", "app_killed_low_memory", "app_killed_excessive_resource_usage",
		"app_initialization_failure", "webview_render_process_gone", "webview_content_process_terminated":
		return process
	}
	return none
}

// Reports tells whether an action reports an error.
func Reports(action string) bool { return familyOf(action) != none }

// Kinds lists the actions that report errors.
func Kinds() []string {
	return []string{
		"app_anr", "app_crash", "app_crash_native", "app_initialization_failure", "app_killed_excessive_resource_usage", "app_killed_low_memory",
		"webview_content_process_terminated", "webview_javascript_error", "webview_render_process_gone", "webview_resource_error",
		"webview_security_policy_violation", "webview_unhandled_rejection",
	}
}

// Read reads a report. It never fails: what cannot be read is left out.
func Read(r Report) Trace {
	m := r.Metadata
	t := Trace{Kind: text(r.Action, maxName)}
	switch familyOf(r.Action) {
	case script:
		t.Type, t.Message = text(m["error_type"], maxName), text(m["message"], maxText)
		readStack(&t, m["stack"])
		if len(t.Frames) == 0 && m["source"] != "" {
			line, _ := strconv.Atoi(cut(m["line"], 10))
			col, _ := strconv.Atoi(cut(m["column"], 10))
			t.Frames = []ota.ErrorFrame{scriptFrame("", m["source"], max(line, 0), max(col, 0))}
		}
		splitType(&t)
	case request:
		t.Type, t.Message = text(m["error_type"], maxName), text(m["message"], maxText)
		what := m["source"]
		if what == "" {
			what = m["href"]
		}
		if t.Message == "" {
			t.Message = text(strings.TrimSpace(m["tag_name"]+" "+trimAddress(cut(what, maxText))), maxText)
		}
	case process:
		t.Type = text(m["exit_reason"], maxName)
		if t.Type == "" {
			t.Type = text(m["error_type"], maxName)
		}
		t.Message = text(firstLine(m["exit_description"]), maxText)
		for _, key := range [...]string{"stack", "exit_description", "exit_trace", "message"} {
			if readStack(&t, m[key]); len(t.Frames) > 0 {
				break
			}
		}
		if t.Message == "" {
			t.Message = text(m["message"], maxText)
		}
	}
	return t
}

// readStack adds the frames of a stack, and the type and message in front of it
// if they are not known. Forms may be mixed: every line is read by itself.
func readStack(t *Trace, stack string) {
	if len(stack) > maxStack {
		stack = stack[:maxStack]
	}
	app := "" // the binary of the app, named at the head of iOS crash texts
	for n := 0; stack != "" && len(t.Frames) < maxFrames; n++ {
		var line string
		line, stack, _ = strings.Cut(stack, "\n")
		line = strings.TrimSpace(strings.TrimSuffix(line, "\r"))
		if line == "" {
			continue
		}
		if rest, ok := strings.CutPrefix(line, "Caused by: "); ok {
			// The cause is what went wrong; what it was wrapped in comes before.
			t.Frames, t.Type, t.Message = nil, "", ""
			headline(t, rest)
			continue
		}
		if f, ok := readFrame(line, app); ok {
			t.Frames = append(t.Frames, f)
			continue
		}
		if name, ok := crashLine(t, line); ok {
			if name != "" {
				app = name
			}
			continue
		}
		if n == 0 && len(t.Frames) == 0 {
			headline(t, line)
		}
	}
}

// readFrame reads a line of a stack in any of the forms.
func readFrame(line, app string) (ota.ErrorFrame, bool) {
	if rest, ok := strings.CutPrefix(line, "at "); ok {
		if f, ok := javaFrame(rest); ok {
			return f, true
		}
		return v8Frame(rest)
	}
	if f, ok := nativeFrame(line); ok {
		return f, true
	}
	if f, ok := imageFrame(line, app); ok {
		return f, true
	}
	return jscFrame(line)
}

// headline reads "Type: message" where neither was known.
func headline(t *Trace, line string) {
	line, _ = strings.CutPrefix(line, "Uncaught ")
	name, rest, ok := strings.Cut(line, ": ")
	if !ok && typeName(line) {
		name, rest, ok = line, "", true
	}
	if ok && typeName(name) {
		if t.Type == "" {
			t.Type = text(name, maxName)
		}
		line = rest
	}
	if t.Message == "" {
		t.Message = text(line, maxText)
	}
}

// splitType takes a type off a message that begins with it.
func splitType(t *Trace) {
	msg, _ := strings.CutPrefix(t.Message, "Uncaught ")
	name, rest, ok := strings.Cut(msg, ": ")
	if !ok || !typeName(name) {
		return
	}
	if t.Type == "" || t.Type == name || plainType(t.Type) {
		t.Type, t.Message = name, rest
	}
}

// plainType tells names that say nothing.
func plainType(s string) bool {
	switch s {
	case "Error", "error", "Event", "ErrorEvent", "javascript_error", "unhandled_rejection":
		return true
	}
	return false
}

// typeName reports whether s could name a type of errors: one word of letters,
// digits, dots and underscores that ends as such names do.
func typeName(s string) bool {
	if s == "" || len(s) > maxName {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !letter(c) && (c < '0' || c > '9') && c != '.' && c != '_' && c != '$' {
			return false
		}
	}
	for _, end := range [...]string{"Error", "Exception", "Rejection", "Throwable", "Failure"} {
		if strings.HasSuffix(s, end) {
			return true
		}
	}
	return false
}

func letter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return strings.TrimSpace(line)
}
