package capgo

import "strconv"

// scan reads the usual body, a flat object of plain strings, booleans and one
// number, in a single pass with a single copy. It reports false for everything
// else, also for what is merely unusual (escapes, other scripts, nesting): the
// general decoder then has the word. What it accepts, it reads like that one.
func scan(raw []byte, in *info) bool {
	s := scanner{s: string(raw)}
	if !s.take('{') {
		return false
	}
	if s.take('}') {
		return s.atEnd()
	}
	for {
		name, ok := s.text()
		if !ok || !s.take(':') || !s.member(name, in) {
			return false
		}
		if s.take(',') {
			continue
		}
		return s.take('}') && s.atEnd()
	}
}

type scanner struct {
	s string
	i int
}

func (s *scanner) space() {
	for s.i < len(s.s) && (s.s[s.i] == ' ' || s.s[s.i] == '\n' || s.s[s.i] == '\t' || s.s[s.i] == '\r') {
		s.i++
	}
}

// take skips space and then c, if it is there.
func (s *scanner) take(c byte) bool {
	s.space()
	if s.i < len(s.s) && s.s[s.i] == c {
		s.i++
		return true
	}
	return false
}

func (s *scanner) atEnd() bool {
	s.space()
	return s.i == len(s.s)
}

// text reads a string of printable ASCII without escapes.
func (s *scanner) text() (string, bool) {
	if !s.take('"') {
		return "", false
	}
	for from := s.i; s.i < len(s.s); s.i++ {
		switch c := s.s[s.i]; {
		case c == '"':
			s.i++
			return s.s[from : s.i-1], true
		case c < ' ' || c > '~' || c == '\\':
			return "", false
		}
	}
	return "", false
}

// word skips space and then w, if it is there.
func (s *scanner) word(w string) bool {
	s.space()
	if len(s.s)-s.i >= len(w) && s.s[s.i:s.i+len(w)] == w {
		s.i += len(w)
		return true
	}
	return false
}

// member reads the value of a member into its field.
func (s *scanner) member(name string, in *info) bool {
	switch name {
	case "is_emulator":
		return s.flag(&in.IsEmulator)
	case "is_prod":
		return s.flag(&in.IsProd)
	case "timestamp":
		return s.number(&in.Timestamp)
	case "metadata":
		return false
	}
	var ignored string
	to := in.field(name)
	if to == nil {
		to = &ignored
	}
	if s.word("null") {
		*to = ""
		return true
	}
	v, ok := s.text()
	*to = v
	return ok
}

// field returns the text field of a name, nil if there is none.
func (in *info) field(name string) *string {
	switch name {
	case "platform":
		return &in.Platform
	case "device_id":
		return &in.DeviceID
	case "app_id":
		return &in.AppID
	case "custom_id":
		return &in.CustomID
	case "version_build":
		return &in.VersionBuild
	case "version_code":
		return &in.VersionCode
	case "version_os":
		return &in.VersionOS
	case "version_name":
		return &in.VersionName
	case "plugin_version":
		return &in.PluginVersion
	case "install_source":
		return &in.InstallSource
	case "defaultChannel":
		return &in.DefaultChannel
	case "key_id":
		return &in.KeyID
	case "channel":
		return &in.Channel
	case "action":
		return &in.Action
	case "old_version_name":
		return &in.OldVersionName
	}
	return nil
}

// The two values a flag can point to; nobody writes through a flag.
var yes, no = true, false

func (s *scanner) flag(to **bool) bool {
	switch {
	case s.word("true"):
		*to = &yes
	case s.word("false"):
		*to = &no
	case s.word("null"):
		*to = nil
	default:
		return false
	}
	return true
}

// number reads a plain whole number.
func (s *scanner) number(to *int64) bool {
	if s.word("null") {
		*to = 0
		return true
	}
	s.space()
	from := s.i
	for s.i < len(s.s) && s.s[s.i] >= '0' && s.s[s.i] <= '9' {
		s.i++
	}
	digits := s.s[from:s.i]
	if digits == "" || digits[0] == '0' && len(digits) > 1 {
		return false
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	*to = n
	return err == nil
}
