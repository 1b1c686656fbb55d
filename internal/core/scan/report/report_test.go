package report

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/net/html"

	"github.com/waxwing-ota/waxwing/internal/core/scan"
)

// hostile is a bundle whose names and texts try to break out of every format.
func hostile(t *testing.T) *scan.Report {
	t.Helper()
	entries := []scan.Entry{
		scan.FromBytes("index.html", []byte("<!doctype html>\n<script src=\"https://evil.example.org/a.js\"></script><p onclick=\"eval(x)//</script><script>alert(1)</script>\">")),
		scan.FromBytes("a\"><script>alert(1)</script>.js", []byte("eval(a) // </pre></details><script>alert(2)</script>\x1b[31m\u202e")),
		scan.FromBytes("b:c/d e%2f\xff.js", []byte("document.write(x)")),
		scan.FromBytes("/abs/ü.js", []byte("debugger;")),
		scan.FromBytes("secret.js", []byte("var ü='ü'; k = 'sk_"+"live_9aZx8Yw7Vb6Uc5Td4Se3Rf2Qg';eval(k)")),
	}
	base, err := scan.Run(context.Background(), entries[:1], scan.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := scan.Run(context.Background(), entries, scan.Options{Baseline: base})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Findings) < 8 {
		t.Fatalf("only %d findings", len(r.Findings))
	}
	r.Findings[0].Suppression = &scan.Suppression{Status: "accepted", Justification: "</li><script>alert(3)</script>", By: "somebody"}
	return r
}

func meta() Meta {
	return Meta{Version: "1.2.3", Target: "dist/<script>", Time: "2026-01-02T03:04:05Z", Repo: "https://github.com/acme/shop", Revision: "abc"}
}

func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	f, err := os.Open("testdata/sarif-schema-2.1.0.json")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	doc, err := jsonschema.UnmarshalJSON(f)
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("sarif.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("sarif.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSARIFIsValid(t *testing.T) {
	s := schema(t)
	for name, r := range map[string]*scan.Report{"hostile": hostile(t), "empty": {}} {
		var b bytes.Buffer
		if err := SARIF(&b, r, meta()); err != nil {
			t.Fatal(err)
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(doc); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := s.Validate(map[string]any{"version": "2.1.0"}); err == nil {
		t.Error("the schema accepts anything")
	}
}

func TestSARIFContents(t *testing.T) {
	r := hostile(t)
	var b bytes.Buffer
	if err := SARIF(&b, r, meta()); err != nil {
		t.Fatal(err)
	}
	var log sarifLog
	if err := json.Unmarshal(b.Bytes(), &log); err != nil {
		t.Fatal(err)
	}
	run := log.Runs[0]
	if len(run.Results) != len(r.Findings) || len(run.Artifacts) != len(r.Files) || len(run.Tool.Driver.Rules) != len(r.Rules) {
		t.Errorf("%d results, %d artifacts, %d rules", len(run.Results), len(run.Artifacts), len(run.Tool.Driver.Rules))
	}
	for i, res := range run.Results {
		if run.Tool.Driver.Rules[res.RuleIndex].ID != res.RuleID || res.RuleID != r.Findings[i].Rule {
			t.Errorf("result %d: rule %s, index %d", i, res.RuleID, res.RuleIndex)
		}
		if res.State != "new" && res.State != "unchanged" || res.Prints["waxwing/v1"] == "" {
			t.Errorf("result %d: %+v", i, res)
		}
	}
	if len(run.Results[0].Suppressions) != 1 || run.Results[0].Suppressions[0].Kind != "external" {
		t.Errorf("suppressions %+v", run.Results[0].Suppressions)
	}
	for _, a := range run.Artifacts {
		if len(a.Hashes["sha-256"]) != 64 {
			t.Errorf("%+v", a)
		}
	}
}

func TestNoFormatTellsTheSecret(t *testing.T) {
	r := hostile(t)
	var b bytes.Buffer
	Text(&b, r, TextOptions{All: true})
	for _, err := range []error{JSON(&b, r, meta()), SARIF(&b, r, meta()), HTML(&b, r, meta())} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if strings.Contains(b.String(), "9aZx8Yw7Vb6Uc5Td4Se3Rf2Qg") {
		t.Error("the secret is in a report")
	}
	if !strings.Contains(b.String(), "sk_l") {
		t.Error("nothing says what kind of secret it is")
	}
}

func TestTextIsSafeForTerminals(t *testing.T) {
	var b bytes.Buffer
	Text(&b, hostile(t), TextOptions{})
	if strings.ContainsAny(b.String(), "\x1b\u202e\x00") {
		t.Errorf("control characters: %q", b.String())
	}
	for _, s := range []string{"BLOCK  ST-004", "secret.js:1:", "fix: ", " block, ", "compared with the baseline"} {
		if !strings.Contains(b.String(), s) {
			t.Errorf("no %q in\n%s", s, b.String())
		}
	}
}

func TestHTMLIsSelfContained(t *testing.T) {
	var b bytes.Buffer
	if err := HTML(&b, hostile(t), meta()); err != nil {
		t.Fatal(err)
	}
	z := html.NewTokenizer(&b)
	for {
		tt := z.Next()
		if tt == html.ErrorToken {
			return
		}
		if tt != html.StartTagToken && tt != html.SelfClosingTagToken {
			continue
		}
		tok := z.Token()
		switch tok.Data {
		case "script", "img", "iframe", "link", "object", "embed", "form", "base", "svg":
			t.Errorf("an element %s", tok.Data)
		}
		for _, a := range tok.Attr {
			if a.Key == "src" || strings.HasPrefix(a.Key, "on") || a.Key == "href" && !strings.HasPrefix(a.Val, "https://") {
				t.Errorf("an attribute %s=%q", a.Key, a.Val)
			}
		}
	}
}

func TestJSONRoundTrip(t *testing.T) {
	r := hostile(t)
	var b bytes.Buffer
	if err := JSON(&b, r, meta()); err != nil {
		t.Fatal(err)
	}
	var back scan.Report
	if err := json.Unmarshal(b.Bytes(), &back); err != nil {
		t.Fatal(err)
	}
	if len(back.Findings) != len(r.Findings) || len(back.Facts.Texts) != len(r.Facts.Texts) || len(back.Rules) != len(r.Rules) {
		t.Error("the report did not come back")
	}
}
