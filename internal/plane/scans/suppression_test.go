package scans_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/scan"
	"github.com/waxwing-ota/waxwing/internal/plane/control"
	"github.com/waxwing-ota/waxwing/internal/plane/scans"
)

func TestSuppressions(t *testing.T) {
	e := newEnv(t, scan.Limits{})
	ada := ota.Principal{Kind: ota.PrincipalUser, Name: "ada@example.com", ID: 1, Person: 1}
	bob := ota.Principal{Kind: ota.PrincipalUser, Name: "bob@example.com", ID: 2, Person: 2}
	e.publish("1.0.0", dirty("1.0.0"), e.plain(dirty("1.0.0"), dirty("1.0.0")))
	v := e.next("1.0.0")
	var asked []ota.Suppression
	for _, f := range v.Findings {
		if f.Action != ota.ScanBlock {
			continue
		}
		s, err := e.scans.RequestSuppression(t.Context(), ada, app, ota.NewSuppression{Rule: f.Rule, Fingerprint: f.Fingerprint, Reason: "our own server", Days: 30})
		e.do(err)
		asked = append(asked, s)
	}
	if got := e.release("1.0.0"); got != control.CodeScanBlocked {
		t.Fatalf("while it waits: %q", got)
	}
	need := 1
	_, err := e.ctl.UpdateChannel(t.Context(), who, app, prod, ota.PolicyPatch{RequiredApprovals: &need})
	e.do(err)
	for _, s := range asked {
		if _, err := e.scans.DecideSuppression(t.Context(), ada, app, s.ID, true, ""); ota.CodeOf(err) != scans.CodeSuppressionOwn {
			t.Errorf("her own request: %v", err)
		}
		if _, err := e.scans.DecideSuppression(t.Context(), who, app, s.ID, true, ""); ota.CodeOf(err) != scans.CodeSuppressionOwn {
			t.Errorf("a machine: %v", err)
		}
		_, err := e.scans.DecideSuppression(t.Context(), bob, app, s.ID, true, "seen")
		e.do(err)
		if _, err := e.scans.DecideSuppression(t.Context(), bob, app, s.ID, true, ""); ota.CodeOf(err) != scans.CodeSuppressionClosed {
			t.Errorf("twice: %v", err)
		}
	}
	if got := e.verdict("1.0.0"); got.Decision != ota.ScanPasses || got.Counts.Block != 0 {
		t.Errorf("approved: %+v", got)
	}
	st, err := e.scans.Report(t.Context(), app, "1.0.0", 0)
	e.do(err)
	sarif, err := e.scans.Render(t.Context(), &st, v.Policy, scans.FormatSARIF)
	if err != nil || !bytes.Contains(sarif, []byte(`"justification": "our own server"`)) || !bytes.Contains(sarif, []byte(`"status": "accepted"`)) {
		t.Errorf("sarif %v: %s", err, sarif)
	}
	e.at = e.at.Add(31 * 24 * time.Hour)
	if got := e.verdict("1.0.0"); got.Decision != ota.ScanRefuses {
		t.Errorf("expired: %+v", got)
	}
	if items, _, err := e.scans.Suppressions(t.Context(), app, "", ota.Page{}); err != nil || len(items) != len(asked) || !items[0].Expired {
		t.Errorf("%+v, %v", items, err)
	}
	for name, in := range map[string]ota.NewSuppression{
		"no rule":   {Rule: "ST-999", Fingerprint: asked[0].Fingerprint, Reason: "x", Days: 1},
		"all of it": {Rule: "ST-004", Reason: "x", Days: 1},
		"any path":  {Rule: "ST-004", Path: "**", Reason: "x", Days: 1},
		"no reason": {Rule: "ST-004", Path: "a.js", Reason: " ", Days: 1},
		"for ever":  {Rule: "ST-004", Path: "a.js", Reason: "x", Days: 367},
		"no time":   {Rule: "ST-004", Path: "a.js", Reason: "x"},
		"no print":  {Rule: "ST-004", Fingerprint: "zz", Reason: "x", Days: 1},
	} {
		if _, err := e.scans.RequestSuppression(t.Context(), ada, app, in); ota.KindOf(err) != ota.KindInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}
