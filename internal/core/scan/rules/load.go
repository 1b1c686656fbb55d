package rules

import (
	"embed"
	"fmt"

	"github.com/BurntSushi/toml"
)

//go:embed *.toml
var files embed.FS

// Rule says what is checked, why, and what to do about it.
type Rule struct {
	ID        string   `json:"id"`
	Title     string   `json:"title"`
	What      string   `json:"what"`
	Why       string   `json:"why"`
	Fix       string   `json:"fix"`
	Reference string   `json:"reference"` // store guideline or MASVS control
	Help      string   `json:"help"`      // address of that
	Severity  string   `json:"severity"`  // block, warn, info: of a finding unless the check says otherwise
	Certainty string   `json:"certainty"` // deterministic, heuristic
	Score     float64  `json:"score"`     // security-severity of SARIF, 0 to 10
	Tags      []string `json:"tags"`
}

// Lists are the names and hosts that rules look for.
type Lists struct {
	Hosts        map[string][]string `toml:"hosts"`
	Words        map[string][]string `toml:"words"`
	Updaters     map[string][]string `toml:"updaters"`
	Plugins      map[string][]string `toml:"plugins"`
	Capabilities map[string][]string `toml:"capabilities"`
	Libraries    map[string][]string `toml:"libraries"`
	Loaders      map[string][]string `toml:"loaders"`
}

// Secret is the format of a key or token, in the fields of gitleaks.
type Secret struct {
	ID          string   `toml:"id"`
	Description string   `toml:"description"`
	Regex       string   `toml:"regex"`
	SecretGroup int      `toml:"secretGroup"` // group of the regex that is the secret; 0 = the first, or all
	Entropy     float64  `toml:"entropy"`     // least bits per character; 0 = any
	Keywords    []string `toml:"keywords"`    // lower case; the regex is tried only where one stands
	Path        string   `toml:"path"`        // regex of paths; "" = all
	Allowlist   struct {
		Regexes   []string `toml:"regexes"`
		StopWords []string `toml:"stopwords"`
	} `toml:"allowlist"`
	// Severity and Checksum are ours: block unless said otherwise, and the name
	// of the check of the format's own checksum.
	Severity string `toml:"severity"`
	Checksum string `toml:"checksum"`
}

// Set is all of it.
type Set struct {
	Rules   []Rule // by id
	Secrets []Secret
	Lists   Lists
}

// Rule returns a rule by its id, or nil.
func (s *Set) Rule(id string) *Rule {
	for i := range s.Rules {
		if s.Rules[i].ID == id {
			return &s.Rules[i]
		}
	}
	return nil
}

// Load reads the data of the program. An error is a fault of the program.
func Load() (*Set, error) {
	s := &Set{}
	for _, name := range []string{"store.toml", "web.toml"} {
		var doc struct {
			Rule []Rule `toml:"rule"`
		}
		if err := decode(name, &doc); err != nil {
			return nil, err
		}
		s.Rules = append(s.Rules, doc.Rule...)
	}
	var doc struct {
		Title string   `toml:"title"`
		Rules []Secret `toml:"rules"`
	}
	if err := decode("secrets.toml", &doc); err != nil {
		return nil, err
	}
	s.Secrets = doc.Rules
	return s, decode("lists.toml", &s.Lists)
}

// decode reads a file strictly: a field that nothing reads is a mistake.
func decode(name string, into any) error {
	text, err := files.ReadFile(name)
	if err != nil {
		return err
	}
	m, err := toml.Decode(string(text), into)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if u := m.Undecoded(); len(u) > 0 {
		return fmt.Errorf("%s: unknown field %s", name, u[0])
	}
	return nil
}
