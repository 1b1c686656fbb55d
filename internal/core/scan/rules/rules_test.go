package rules

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestRulesAreComplete(t *testing.T) {
	s, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Rules) != 22+14+1 {
		t.Errorf("%d rules", len(s.Rules))
	}
	seen := map[string]bool{}
	for _, r := range s.Rules {
		if !regexp.MustCompile(`^(ST|WB)-\d{3}$`).MatchString(r.ID) || seen[r.ID] {
			t.Errorf("id %q", r.ID)
		}
		seen[r.ID] = true
		for _, text := range []string{r.Title, r.What, r.Why, r.Fix, r.Reference} {
			if text == "" || strings.ContainsAny(text, "\n\t") {
				t.Errorf("%s: text %q", r.ID, text)
			}
		}
		if !strings.HasPrefix(r.Help, "https://") || len(r.Tags) == 0 || r.Score <= 0 || r.Score > 10 ||
			!slices.Contains([]string{"block", "warn", "info"}, r.Severity) || !slices.Contains([]string{"deterministic", "heuristic"}, r.Certainty) {
			t.Errorf("%s: %+v", r.ID, r)
		}
		if s.Rule(r.ID) == nil {
			t.Errorf("%s is not found", r.ID)
		}
	}
	if s.Rule("ST-999") != nil {
		t.Error("a rule that is not there was found")
	}
}

func TestSecretsAreComplete(t *testing.T) {
	s, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Secrets) < 35 {
		t.Errorf("%d formats", len(s.Secrets))
	}
	for _, x := range s.Secrets {
		if x.ID == "" || x.Description == "" || x.Regex == "" || len(x.Keywords) == 0 {
			t.Errorf("%+v", x)
		}
		for _, k := range x.Keywords {
			if k != strings.ToLower(k) || len(k) < 2 {
				t.Errorf("%s: keyword %q", x.ID, k)
			}
		}
	}
}
