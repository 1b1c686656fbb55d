package scans_test

import (
	"bytes"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/scan"
	"github.com/waxwing-ota/waxwing/internal/plane/control"
)

// An action "approve" makes a release of an unprotected channel wait.
func TestApprovalOfFindings(t *testing.T) {
	e := newEnv(t, scan.Limits{})
	e.policy(func(p *ota.ScanPolicy) { p.OnBlock, p.OnWarn = ota.ScanApprove, ota.ScanWarn })
	e.publish("1.0.0", dirty("1.0.0"), e.plain(dirty("1.0.0"), dirty("1.0.0")))
	e.next("1.0.0")
	if got := e.release("1.0.0"); got != control.CodeApprovalRequired {
		t.Fatalf("%q", got)
	}
	open, _, err := e.ctl.Approvals(t.Context(), ota.ApprovalFilter{App: app, Within: ota.Reach{All: true}}, ota.Page{})
	if err != nil || len(open) != 1 || open[0].Channel != prod || open[0].Need < 1 || !bytes.Contains(open[0].Document, []byte(`"scan":{`)) {
		t.Fatalf("%+v, %v", open, err)
	}
	// With the findings gone, the request is about something that is not so.
	e.policy(func(p *ota.ScanPolicy) {
		p.Rules = map[string]string{"ST-004": "off", "WB-001": "off", "WB-007": "off"}
	})
	if d, err := e.ctl.Approval(t.Context(), who, open[0].ID); err != nil || d.State != ota.ApprovalSuperseded {
		t.Errorf("%+v, %v", d.State, err)
	}
	if got := e.release("1.0.0"); got != "" {
		t.Errorf("%q", got)
	}
}

// To loosen the policy of a protected channel takes a second person.
func TestPolicyOfProtectedChannels(t *testing.T) {
	e := newEnv(t, scan.Limits{})
	need := 1
	_, err := e.ctl.UpdateChannel(t.Context(), who, app, prod, ota.PolicyPatch{RequiredApprovals: &need})
	e.do(err)
	strict := ota.DefaultScanPolicy()
	strict.OnWarn = ota.ScanApprove
	_, err = e.ctl.SetScanPolicy(t.Context(), who, app, "", &strict)
	e.do(err)
	loose := ota.DefaultScanPolicy()
	for _, channel := range []string{"", prod} {
		if _, err := e.ctl.SetScanPolicy(t.Context(), who, app, channel, &loose); ota.CodeOf(err) != control.CodeApprovalRequired {
			t.Errorf("%q: %v", channel, err)
		}
	}
	// With a policy of its own the channel does not care for the app's.
	_, err = e.ctl.SetScanPolicy(t.Context(), who, app, prod, &strict)
	e.do(err)
	_, err = e.ctl.SetScanPolicy(t.Context(), who, app, "", &loose)
	e.do(err)
	if _, err := e.ctl.SetScanPolicy(t.Context(), who, app, prod, nil); ota.CodeOf(err) != control.CodeApprovalRequired {
		t.Errorf("taking its own away: %v", err)
	}
	p, err := e.ctl.ScanPolicy(t.Context(), app, prod)
	if err != nil || p.From != ota.PolicyChannel || p.OnWarn != ota.ScanApprove {
		t.Errorf("%+v, %v", p, err)
	}
}
