package run_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/client"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/testkit/live"
)

// A client that knows of approvals gets 202 with the request; another one gets a
// conflict, so that it does not take "not yet" for "done".
func TestWaitingOverTheWire(t *testing.T) {
	s := newStory(t)
	s.publish("1.1.0")
	if _, err := s.c.UpdateChannel(t.Context(), app, "production", ota.PolicyPatch{RequiredApprovals: new(1)}); err != nil {
		t.Fatal(err)
	}
	_, done, err := s.c.Release(t.Context(), app, "production", ota.ReleaseRequest{Version: "1.1.0"})
	p, ok := errors.AsType[*client.PendingError](err)
	if done || !ok || ota.CodeOf(err) != client.CodeApprovalRequired || p.Approval.Need != 2 || !strings.HasPrefix(p.Approval.Link, "http") {
		t.Fatalf("done %v, err %v", done, err)
	}
	for _, tt := range []struct {
		prefer string
		status int
		kind   string
	}{{"", http.StatusConflict, "application/problem+json"}, {"respond-async", http.StatusAccepted, "application/json"}} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.c.URL()+"/api/v1/apps/"+app+"/channels/production/releases",
			strings.NewReader(`{"version":"1.1.0"}`))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+live.Token)
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Prefer", tt.prefer)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		var body struct {
			Code     string       `json:"code"`
			Approval ota.Approval `json:"approval"`
		}
		err = json.NewDecoder(res.Body).Decode(&body)
		res.Body.Close()
		if err != nil || res.StatusCode != tt.status || res.Header.Get("Content-Type") != tt.kind || body.Approval.ID != p.Approval.ID {
			t.Errorf("prefer %q: status %d, %s, %+v, %v", tt.prefer, res.StatusCode, res.Header.Get("Content-Type"), body, err)
		}
	}
	list, _, err := s.c.Approvals(t.Context(), ota.ApprovalFilter{App: app, State: ota.ApprovalRequested}, ota.Page{})
	if err != nil || len(list) != 1 || list[0].Org != ota.MainOrg {
		t.Errorf("listed %+v, %v", list, err)
	}
	_, err = s.c.Approve(t.Context(), p.Approval.ID, ota.ApprovalVoteRequest{Digest: p.Approval.Digest})
	if ota.CodeOf(err) != "approval_needs_person" {
		t.Errorf("the token of nobody approves: %v", err)
	}
	if _, err := s.c.Approval(t.Context(), 99); ota.CodeOf(err) != "approval_not_found" {
		t.Errorf("no such request: %v", err)
	}
}
