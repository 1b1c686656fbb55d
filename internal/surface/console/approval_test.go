package console_test

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/publish"
)

const shop = "com.example.shop"

// protected makes an app whose production channel serves 1.0.0 and wants approvals.
func (s *site) protected(n int) {
	s.t.Helper()
	if _, err := s.Client.CreateApp(s.t.Context(), ota.NewApp{ID: shop, Name: "Shop"}); err != nil {
		s.t.Fatal(err)
	}
	s.push("1.0.0", fstest.MapFS{"old.js": {Data: []byte("old")}})
	if _, _, err := s.Client.Release(s.t.Context(), shop, "production", ota.ReleaseRequest{Version: "1.0.0"}); err != nil {
		s.t.Fatal(err)
	}
	if _, err := s.Client.UpdateChannel(s.t.Context(), shop, "production", ota.PolicyPatch{RequiredApprovals: &n}); err != nil {
		s.t.Fatal(err)
	}
}

// push publishes a bundle with some more files, and puts it on no channel.
func (s *site) push(version string, dir fstest.MapFS) {
	s.t.Helper()
	dir["index.html"] = &fstest.MapFile{Data: []byte("<!doctype html><p>" + version)}
	o := publish.Options{App: shop, Version: version, Dir: dir, NoRelease: true, AllowNoReady: true, TempDir: s.t.TempDir()}
	if _, err := publish.Push(s.t.Context(), s.Client, o); err != nil {
		s.t.Fatal(err)
	}
}

// asks publishes a version, requests its release and returns the page of that.
func (p *person) asks(version string) string {
	p.s.t.Helper()
	p.s.push(version, fstest.MapFS{"new.js": {Data: []byte("new")}})
	p.does("/console/apps/"+shop+"/channels/production/release", "approval_requested", "version", version, "note", hostile)
	all, _, err := p.s.Client.Approvals(p.s.t.Context(), ota.ApprovalFilter{State: ota.ApprovalRequested}, ota.Page{})
	if err != nil || len(all) == 0 {
		p.s.t.Fatalf("nothing waits: %v", err)
	}
	return "/console/approvals/" + all[0].Link[strings.LastIndex(all[0].Link, "/")+1:]
}

// approves signs the digest with the passkey, as the page's script does.
func (p *person) approves(page, notice string) {
	p.s.t.Helper()
	p.sees(page, "Your passkey signs that digest")
	digest := p.find(`name="digest" value="([0-9a-f]+)"`)
	p.fails(page+"/approve", 403, "must be signed", "digest", digest)
	p.sees(page)
	var challenge struct{ Options json.RawMessage }
	if res := p.do("POST", p.find(`data-sign="([^"]+)"`), "application/json", nil); res.StatusCode != 200 || json.Unmarshal([]byte(p.body), &challenge) != nil {
		p.s.t.Fatalf("challenge: %d %s", res.StatusCode, p.body)
	}
	p.does(page+"/approve", notice, "digest", digest, "assertion", p.sign(string(challenge.Options)))
}

func TestApprovalPages(t *testing.T) {
	s := newSite(t, nil)
	ada := s.setup("ada@example.com")
	bob := s.invite("bob@example.com", in(ota.RoleReleaseManager))
	joe, kim := s.invite("joe@example.com", in(ota.RoleViewer)), s.invite("kim@example.com", in(ota.RoleAuditor))
	s.protected(1)
	ada.sees("/console/approvals", "Nothing waits for approval")
	page := ada.asks("1.1.0")

	ada.sees(page, "release.publish 1.1.0", "who asks for something does not approve it", "Take the request back", "Break the glass…", "1 added", "1 removed", "new.js", "old.js", `"act": "release.publish"`, `\u202e`)
	ada.sees("/console/")
	if strings.Contains(ada.text(), "Waits for your approval") {
		t.Error("it waits for who asked")
	}
	bob.sees("/console/", "Waits for your approval", "release.publish 1.1.0")
	bob.sees("/console/approvals", "waits for you")
	bob.sees(page, "Approve", "Reject…")
	if strings.Contains(bob.text(), "Break the glass…") || strings.Contains(bob.text(), "Take the request back") {
		t.Error("bob is offered what he may not do")
	}
	joe.sees(page, "you may not approve this")
	if strings.Contains(joe.body, "<button class=\"primary\">Approve") || strings.Contains(joe.text(), "Reject…") {
		t.Error("a viewer is offered to decide")
	}
	kim.open(page)
	bob.fails(page+"/approve", 422, "", "digest", "xyz")
	bob.fails(page+"/approve", 422, "cannot be read", "digest", strings.Repeat("0", 64), "assertion", "{")
	bob.approves(page, "approved_done")
	bob.sees(page, "executed", "signed", "user:bob@example.com")
	if res := bob.do("POST", page+"/challenge", "application/json", nil); res.StatusCode != 409 || !strings.Contains(bob.body, `"detail"`) {
		t.Errorf("challenge of a closed request: %d %s", res.StatusCode, bob.body)
	}

	page = ada.asks("1.2.0")
	bob.sees(page+"/reject", "one rejection is enough", "main/"+shop+"/production")
	bob.fails(page+"/reject", 422, "reason", "reason", "")
	bob.does(page+"/reject", "approval_rejected", "reason", hostile)
	ada.sees(page, "rejected", `\u202e`)
	page = ada.asks("1.3.0")
	ada.does(page+"/cancel", "approval_cancelled")
	page = ada.asks("1.4.0")
	bob.refused(page + "/break-glass")
	ada.sees(page+"/break-glass", "0 of 1 approvals", "for a week")
	ada.does(page+"/break-glass", "glass_broken", "reason", "the night of the outage")
	ada.sees("/console/apps/"+shop+"/channels/production", "The glass was broken")
	ada.sees("/console/approvals?state=executed&app="+shop, "without approval")
	if code := ada.open("/console/approvals/999"); code != 404 {
		t.Errorf("no such request: %d", code)
	}
}
