package browser

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/demo"
)

// report sends a report of the demo's second bundle that found much, with texts
// of the hostile corpus in it. The bundle goes on no channel any more.
func (w *world) report() {
	w.t.Helper()
	ctx, c := w.t.Context(), w.Client
	raw, err := c.Scan(ctx, demo.App, "2.0.0", 0, "json", "")
	must(w, raw, err)
	var report map[string]any
	if err := json.Unmarshal(raw, &report); err != nil {
		w.t.Fatal(err)
	}
	found := func(rule, severity, path, snippet, message string, n int) map[string]any {
		return map[string]any{
			"rule": rule, "severity": severity, "certainty": "deterministic", "path": path, "line": n + 1, "column": 3, "offset": 9,
			"snippet": snippet, "message": message, "fingerprint": fmt.Sprintf("%032x", n+1),
		}
	}
	findings := []any{
		found("WB-013", "warn", "assets/index-9f3c.js", `localStorage.setItem("token", session.token)`, "a token is kept in localStorage", 0),
		found("WB-005", "block", "index.html", `<script src="http://cdn.example.net/lib.js">`, "a script comes over plain HTTP", 1),
		found("ST-001", "block", strings.Repeat("deep/", 30)+"lib.so", strings.Repeat("x", 900), strings.Repeat("long ", 200), 2),
	}
	for i, p := range payloads(w.t) {
		text := p.Text[:min(len(p.Text), 4000)] // the server takes no more
		findings = append(findings, found("ST-001", "info", text, text, text, i+10))
	}
	report["findings"] = findings
	if raw, err = json.Marshal(report); err != nil {
		w.t.Fatal(err)
	}
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	if _, err := z.Write(raw); err != nil || z.Close() != nil {
		w.t.Fatal(err)
	}
	sent, _, err := c.UploadScan(ctx, demo.App, "2.0.0", ota.ScanUpload{Report: zipped.Bytes(), Digest: ota.Sum(raw)})
	must(w, sent, err)
}

// suppress asks for suppressions and sets a channel's policy, while nobody else
// must approve.
func (w *world) suppress() {
	w.t.Helper()
	ctx, c := w.t.Context(), w.Client
	for i, state := range []string{"approve", "reject", ""} {
		s, err := c.RequestSuppression(ctx, demo.App, ota.NewSuppression{Rule: "ST-001", Fingerprint: fmt.Sprintf("%032x", i+10), Reason: payloads(w.t)[i].Text + " is no risk here", Days: 30})
		must(w, s, err)
		if state != "" {
			s, err = c.DecideSuppression(ctx, demo.App, s.ID, state == "approve", "seen with the team")
			must(w, s, err)
		}
	}
	policy := ota.DefaultScanPolicy()
	policy.OnWarn, policy.Rules["WB-013"] = ota.ScanApprove, "block"
	set, err := c.SetScanPolicy(ctx, demo.App, demo.Channel, policy)
	must(w, set, err)
}
