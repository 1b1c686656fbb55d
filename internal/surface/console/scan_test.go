package console_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

const scanned = "/console/apps/" + shop + "/bundles/1.0.0/scan"

// scanned publishes a bundle with something to find, and sends another report of
// it, as a hostile publisher would write one.
func (s *site) scanned() {
	s.t.Helper()
	ctx := s.t.Context()
	if _, err := s.Client.CreateApp(ctx, ota.NewApp{ID: shop}); err != nil {
		s.t.Fatal(err)
	}
	s.push("1.0.0", fstest.MapFS{"app.js": {Data: []byte("localStorage.setItem('token', t);\nconsole.log(1);")}})
	raw, err := s.Client.Scan(ctx, shop, "1.0.0", 0, "json", "")
	if err != nil {
		s.t.Fatal(err)
	}
	var report map[string]any
	if err := json.Unmarshal(raw, &report); err != nil {
		s.t.Fatal(err)
	}
	findings, _ := report["findings"].([]any)
	for i := range 120 {
		findings = append(findings, map[string]any{
			"rule": "ST-001", "severity": "info", "certainty": "heuristic", "path": hostile, "line": i + 1, "offset": 0, "snippet": hostile + "--" + strings.Repeat("x", 1000), "message": hostile,
			"fingerprint": strings.Repeat("ab", 14) + "00" + string("0123456789abcdef"[i/16]) + string("0123456789abcdef"[i%16]),
		})
	}
	findings = append(findings, map[string]any{
		"rule": "<b>\u202e", "severity": "info", "certainty": "heuristic", "path": "p", "offset": 0, "message": "m", "fingerprint": strings.Repeat("cd", 16),
	})
	report["findings"], report["tool"] = findings, hostile
	if raw, err = json.Marshal(report); err != nil {
		s.t.Fatal(err)
	}
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	if _, err := z.Write(raw); err != nil || z.Close() != nil {
		s.t.Fatal(err)
	}
	if _, _, err := s.Client.UploadScan(ctx, shop, "1.0.0", ota.ScanUpload{Report: zipped.Bytes(), Digest: ota.Sum(raw)}); err != nil {
		s.t.Fatal(err)
	}
}

func TestScanPages(t *testing.T) {
	s := newSite(t, nil)
	ada := s.setup("ada@example.com")
	if _, err := s.Client.CreateApp(t.Context(), ota.NewApp{ID: "com.example.other"}); err != nil {
		t.Fatal(err)
	}
	viewer, other := s.invite("joe@example.com", in(ota.RoleViewer)), s.invite("kim@example.com", in(ota.RoleViewer, "com.example.other"))
	s.scanned()
	app := "/console/apps/" + shop
	ada.sees(app+"/bundles/1.0.0", "Scan", "not recorded")
	ada.sees(scanned, "may be published", "Policies", "Scan again", "Ask to suppress it", "How to fix it", `\u202e`, "More →", "the publisher's machine")
	viewer.sees(scanned, "may be published", "How to fix it")
	for _, button := range []string{"Ask to suppress it", "Scan again"} {
		if strings.Contains(viewer.text(), button) {
			t.Errorf("a viewer is offered %q", button)
		}
	}
	for _, path := range []string{scanned, app + "/scans", app + "/suppressions", app + "/channels/production/scan-policy", scanned + "/report?format=json"} {
		if code := other.open(path); code != http.StatusNotFound { // they do not even know that there is such an app
			t.Errorf("%s for somebody of another app: %d", path, code)
		}
	}

	ada.sees(scanned+"?after=100&severity=info&rule=ST-001", "match the filter", `\u202e`)
	if strings.Contains(ada.text(), "More →") {
		t.Error("there is more after the last page")
	}
	ada.sees(scanned+"?rule=WB-999", "Nothing like that")
	ada.sees(scanned + "?after=-1&channel=production")
	if code := ada.open(scanned + "?channel=nowhere"); code != http.StatusNotFound {
		t.Errorf("a channel that is not there: %d", code)
	}
	if code := ada.open(strings.Replace(scanned, "1.0.0", "9.9.9", 1)); code != http.StatusNotFound {
		t.Errorf("a bundle that is not there: %d", code)
	}
	ada.does(scanned+"/rescan", "rescan_asked")

	ada.sees(app+"/scans", "Findings per bundle", "1.0.0", "Policy of the app", "production")
	viewer.sees(app+"/scans", "Findings per bundle", "Policy of the app")
	if strings.Contains(viewer.text(), "Save policy") {
		t.Error("a viewer is offered to change the policy")
	}
}

func TestScanDownloads(t *testing.T) {
	s := newSite(t, nil)
	ada := s.setup("ada@example.com")
	s.scanned()
	for _, format := range []string{"json", "sarif", "html", "text"} {
		res := ada.do("GET", scanned+"/report?id=1&channel=production&format="+format, "", nil)
		if d := res.Header.Get("Content-Disposition"); res.StatusCode != 200 || !strings.HasPrefix(d, `attachment; filename="com.example.shop-1.0.0-scan.`) || len(ada.body) < 100 {
			t.Errorf("%s: %d %q, %d bytes", format, res.StatusCode, d, len(ada.body))
		}
		if p := res.Header.Get("Content-Security-Policy"); !strings.Contains(p, "default-src 'none'") || !strings.Contains(p, "sandbox") || strings.Contains(p, "'self'") {
			t.Errorf("%s: policy %q", format, p)
		}
	}
	if code := ada.open(scanned + "/report?format=exe"); code != http.StatusUnprocessableEntity {
		t.Errorf("an unknown format: %d", code)
	}
	for _, kind := range []string{"sbom", "provenance"} {
		if code := ada.open("/console/apps/" + shop + "/bundles/1.0.0/" + kind); code != http.StatusNotFound {
			t.Errorf("no %s: %d", kind, code)
		}
	}
}

func TestSuppressionPages(t *testing.T) {
	s := newSite(t, nil)
	ada := s.setup("ada@example.com")
	viewer := s.invite("joe@example.com", in(ota.RoleViewer))
	s.scanned()
	all := "/console/apps/" + shop + "/suppressions"
	ada.sees(all, "None yet")
	ada.sees(scanned + "?rule=ST-001")
	print := ada.find(`name="fingerprint" value="([0-9a-f]{32})"`)
	ada.fails(scanned+"/suppress?rule=ST-001", 422, "whole number", "of_rule", "ST-001", "fingerprint", print, "reason", "no risk", "days", "soon")
	if !strings.Contains(ada.body, `value="no risk"`) {
		t.Error("what was typed in is lost")
	}
	ada.fails(scanned+"/suppress", 422, "1 to 366", "of_rule", "ST-001", "fingerprint", print, "reason", "no risk", "days", "900")
	ada.does(scanned+"/suppress?rule=ST-001&channel=production", "suppression_requested", "of_rule", "ST-001", "fingerprint", print, "reason", hostile, "days", "30")
	ada.sees(scanned+"?rule=ST-001", "suppression asked for")
	if code, _ := viewer.send(scanned+"/suppress", "of_rule", "ST-001", "fingerprint", print, "reason", "x", "days", "3"); code != http.StatusForbidden {
		t.Errorf("a viewer asks: %d", code)
	}

	viewer.sees(all, "waiting", print[:12])
	if strings.Contains(viewer.text(), "Approve") || strings.Contains(viewer.text(), "Delete") {
		t.Error("a viewer is offered to decide")
	}
	ada.sees(all+"?state=rejected", "None in this state")
	ada.fails(all+"/decide", 422, "approve it or reject it", "suppression", "1")
	ada.fails(all+"/decide", 422, "choose one", "suppression", "x", "decision", "approve")
	ada.does(all+"/decide", "suppression_approved", "suppression", "1", "decision", "approve", "note", "seen")
	ada.sees(all, "approved", "seen", "Take back")
	ada.sees(scanned+"?rule=ST-001&after=100", "suppressed")
	ada.does(all+"/decide", "suppression_rejected", "suppression", "1", "decision", "reject")
	ada.fails(all+"/decide", 409, "already", "suppression", "1", "decision", "approve")
	ada.does(all+"/delete", "suppression_deleted", "suppression", "1")
	ada.sees(all, "None yet")
}

func TestScanPolicyPages(t *testing.T) {
	s := newSite(t, nil)
	ada := s.setup("ada@example.com")
	dev := s.invite("dev@example.com", in(ota.RoleDeveloper))
	if _, err := s.Client.CreateApp(t.Context(), ota.NewApp{ID: shop}); err != nil {
		t.Fatal(err)
	}
	app := "/console/apps/" + shop
	channel := app + "/channels/production/scan-policy"
	strict := []string{"on_block", "block", "on_warn", "approve", "on_info", "ignore", "demand", "server", "new_only", "on", "rule_ST-001", "warn", "rule_ST-002", ""}
	ada.fails(app+"/scans/policy", 422, "", "on_block", "explode", "on_warn", "warn", "on_info", "warn", "demand", "none")
	ada.fails(app+"/scans/policy", 422, "no rule", append(slices.Clip(strict), "rule_XX-1", "off")...)
	ada.sees(channel, "Of apps that set none")
	ada.does(channel, "scan_policy_changed", strict...)
	ada.sees(channel, "The channel's own", "(1 set)", "Go back to the app's policy")
	got, err := s.Client.ScanPolicy(t.Context(), shop, "production")
	if err != nil || got.From != ota.PolicyChannel || got.OnWarn != ota.ScanApprove || got.OnInfo != ota.ScanIgnore || got.Demand != ota.DemandServer || !got.NewOnly || len(got.Rules) != 1 || got.Rules["ST-001"] != "warn" {
		t.Errorf("%+v, %v", got, err)
	}
	ada.sees(app+"/scans", "its own", "only what is new")

	// What lets more onto a protected channel waits.
	ada.does(channel+"/reset", "scan_policy_reset")
	ada.does(app+"/scans/policy", "scan_policy_changed", strict...)
	one := 1
	if _, err := s.Client.UpdateChannel(t.Context(), shop, "production", ota.PolicyPatch{RequiredApprovals: &one}); err != nil {
		t.Fatal(err)
	}
	if to := ada.does(app+"/scans/policy", "approval_requested", append([]string{"demand", "none"}, strict...)...); to != "/console/approvals" {
		t.Errorf("what waits leads to %q", to)
	}
	ada.does(channel, "approval_requested", append([]string{"demand", "none"}, strict...)...)
	dev.sees(channel, "The app's")
	if code, _ := dev.send(channel, strict...); code != http.StatusForbidden {
		t.Errorf("a developer sets it: %d", code)
	}
	if code, _ := dev.send(app+"/scans/policy", strict...); code != http.StatusForbidden {
		t.Errorf("a developer sets the app's: %d", code)
	}
}
