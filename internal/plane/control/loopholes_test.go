package control_test

import (
	"strings"
	"testing"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/control"
)

// Every way around the approvals that one person could try: it waits, is
// refused, or is free because it puts nothing new on anybody.
func TestWaysAround(t *testing.T) {
	patch := func(f func(*ota.PolicyPatch)) ota.PolicyPatch {
		var p ota.PolicyPatch
		f(&p)
		return p
	}
	const waits = control.CodeApprovalRequired
	pem := keyPair()[0].Public().PEM()
	tests := []struct {
		name string
		try  func(tm *team, ada ota.Principal) error
		want string // code of the error; "" = free
	}{
		{"release", func(tm *team, ada ota.Principal) error {
			_, _, err := tm.Release(tm.ctx(), ada, app, prod, ota.ReleaseRequest{Version: "1.1.0"})
			return err
		}, waits},
		{"release what it serves again", func(tm *team, ada ota.Principal) error {
			_, _, err := tm.Release(tm.ctx(), ada, app, prod, ota.ReleaseRequest{Version: "1.0.1"})
			return err
		}, ""},
		{"release the built-in", func(tm *team, ada ota.Principal) error {
			_, _, err := tm.Release(tm.ctx(), ada, app, prod, ota.ReleaseRequest{Version: ota.Builtin})
			return err
		}, ""},
		{"rollback", func(tm *team, ada ota.Principal) error {
			_, err := tm.Rollback(tm.ctx(), ada.Actor(), app, prod, ota.RollbackRequest{})
			return err
		}, ""},
		{"roll back to what it never served", func(tm *team, ada ota.Principal) error {
			_, err := tm.Rollback(tm.ctx(), ada.Actor(), app, prod, ota.RollbackRequest{To: "1.1.0"})
			return err
		}, control.CodeReleaseNotFound},
		{"start a rollout at 0 percent", func(tm *team, ada ota.Principal) error {
			_, err := tm.SetRollout(tm.ctx(), ada, app, prod, ota.RolloutRequest{Version: "1.1.0"})
			return err
		}, waits},
		{"fewer approvals", func(tm *team, ada ota.Principal) error {
			_, err := tm.UpdateChannel(tm.ctx(), ada, app, prod, patch(func(p *ota.PolicyPatch) { p.RequiredApprovals = new(0) }))
			return err
		}, waits},
		{"more approvals", func(tm *team, ada ota.Principal) error {
			_, err := tm.UpdateChannel(tm.ctx(), ada, app, prod, patch(func(p *ota.PolicyPatch) { p.RequiredApprovals = new(2) }))
			return err
		}, ""},
		{"requests that live longer", func(tm *team, ada ota.Principal) error {
			_, err := tm.UpdateChannel(tm.ctx(), ada, app, prod, patch(func(p *ota.PolicyPatch) { p.ApprovalTTL = new(ota.MaxApprovalTTL) }))
			return err
		}, waits},
		{"requests that live shorter", func(tm *team, ada ota.Principal) error {
			_, err := tm.UpdateChannel(tm.ctx(), ada, app, prod, patch(func(p *ota.PolicyPatch) { p.ApprovalTTL = new(60) }))
			return err
		}, ""},
		{"approvers who need not be independent", func(tm *team, ada ota.Principal) error {
			_, err := tm.UpdateChannel(tm.ctx(), ada, app, prod, patch(func(p *ota.PolicyPatch) { p.IndependentApprovers = new(true) }))
			tm.do(err)
			_, err = tm.UpdateChannel(tm.ctx(), ada, app, prod, patch(func(p *ota.PolicyPatch) { p.IndependentApprovers = new(false) }))
			return err
		}, waits},
		{"approvers who must be independent", func(tm *team, ada ota.Principal) error {
			_, err := tm.UpdateChannel(tm.ctx(), ada, app, prod, patch(func(p *ota.PolicyPatch) { p.IndependentApprovers = new(true) }))
			return err
		}, ""},
		{"a less strict channel in place of one with independent approvers", func(tm *team, ada ota.Principal) error {
			_, err := tm.UpdateChannel(tm.ctx(), ada, app, prod, patch(func(p *ota.PolicyPatch) { p.IndependentApprovers = new(true) }))
			tm.do(err)
			_, err = tm.CreateChannel(tm.ctx(), ada, app, "new", patch(func(p *ota.PolicyPatch) { p.Public, p.RequiredApprovals = new(true), new(1) }))
			return err
		}, waits},
		{"devices that lack native packages", func(tm *team, ada ota.Principal) error {
			_, err := tm.UpdateChannel(tm.ctx(), ada, app, prod, patch(func(p *ota.PolicyPatch) { p.NativePackages = new(ota.NativeWarn) }))
			return err
		}, waits},
		{"provenance that must be signed", func(tm *team, ada ota.Principal) error {
			_, err := tm.UpdateChannel(tm.ctx(), ada, app, prod, patch(func(p *ota.PolicyPatch) { p.Provenance = new(ota.ProvenanceSigned) }))
			return err
		}, ""},
		{"provenance that need not be signed", func(tm *team, ada ota.Principal) error {
			_, err := tm.UpdateChannel(tm.ctx(), ada, app, prod, patch(func(p *ota.PolicyPatch) { p.Provenance = new(ota.ProvenanceSigned) }))
			tm.do(err)
			_, err = tm.UpdateChannel(tm.ctx(), ada, app, prod, patch(func(p *ota.PolicyPatch) { p.Provenance = new(ota.ProvenanceRecorded) }))
			return err
		}, waits},
		{"another strategy", func(tm *team, ada ota.Principal) error {
			_, err := tm.UpdateChannel(tm.ctx(), ada, app, prod, patch(func(p *ota.PolicyPatch) { p.Strategy = new(ota.StrategyNone) }))
			return err
		}, waits},
		{"no guard against older bundles", func(tm *team, ada ota.Principal) error {
			_, err := tm.UpdateChannel(tm.ctx(), ada, app, prod, patch(func(p *ota.PolicyPatch) { p.UnderNative = new(false) }))
			return err
		}, waits},
		{"a lower native version of the channel", func(tm *team, ada ota.Principal) error {
			_, err := tm.UpdateChannel(tm.ctx(), ada, app, prod, patch(func(p *ota.PolicyPatch) { p.MinNative = new("0.1.0") }))
			return err
		}, waits},
		{"a lower native version of the bundle", func(tm *team, ada ota.Principal) error {
			_, err := tm.UpdateBundle(tm.ctx(), ada, app, "1.0.1", ota.BundlePatch{MinNative: new("0.1.0")})
			return err
		}, waits},
		{"a comment on the bundle", func(tm *team, ada ota.Principal) error {
			_, err := tm.UpdateBundle(tm.ctx(), ada, app, "1.0.1", ota.BundlePatch{Comment: new("fine")})
			return err
		}, ""},
		{"delete the channel", func(tm *team, ada ota.Principal) error { return tm.DeleteChannel(tm.ctx(), ada, app, prod) }, waits},
		{"delete the app", func(tm *team, ada ota.Principal) error { return tm.DeleteApp(tm.ctx(), ada, app) }, waits},
		{"delete another channel", func(tm *team, ada ota.Principal) error { return tm.DeleteChannel(tm.ctx(), ada, app, "beta") }, ""},
		{"a public channel in its place", func(tm *team, ada ota.Principal) error {
			_, err := tm.CreateChannel(tm.ctx(), ada, app, "new", patch(func(p *ota.PolicyPatch) { p.Public = new(true) }))
			return err
		}, waits},
		{"a public channel in its place on one platform", func(tm *team, ada ota.Principal) error {
			_, err := tm.UpdateChannel(tm.ctx(), ada, app, "beta", patch(func(p *ota.PolicyPatch) {
				p.Public, p.IOS, p.Android = new(true), new(false), new(false)
			}))
			return err
		}, waits},
		{"not public any more", func(tm *team, ada ota.Principal) error {
			_, err := tm.UpdateChannel(tm.ctx(), ada, app, prod, patch(func(p *ota.PolicyPatch) { p.Public = new(false) }))
			return err
		}, waits},
		{"closed to a platform", func(tm *team, ada ota.Principal) error {
			_, err := tm.UpdateChannel(tm.ctx(), ada, app, prod, patch(func(p *ota.PolicyPatch) { p.Electron = new(false) }))
			return err
		}, waits},
		{"an empty channel that is as protected in its place", func(tm *team, ada ota.Principal) error {
			_, err := tm.CreateChannel(tm.ctx(), ada, app, "new", patch(func(p *ota.PolicyPatch) { p.Public, p.RequiredApprovals = new(true), new(1) }))
			return err
		}, ""},
		{"protect a channel with content of one's own and put it in its place", func(tm *team, ada ota.Principal) error {
			_, _, err := tm.Release(tm.ctx(), ada, app, "beta", ota.ReleaseRequest{Version: "1.1.0"})
			tm.do(err)
			_, err = tm.Rollback(tm.ctx(), ada.Actor(), app, "beta", ota.RollbackRequest{To: ota.Builtin})
			tm.do(err)
			_, err = tm.UpdateChannel(tm.ctx(), ada, app, "beta", patch(func(p *ota.PolicyPatch) { p.RequiredApprovals = new(5) }))
			tm.do(err)
			_, err = tm.UpdateChannel(tm.ctx(), ada, app, "beta", patch(func(p *ota.PolicyPatch) { p.Public = new(true) }))
			return err
		}, waits},
		{"a key of one's own", func(tm *team, ada ota.Principal) error {
			_, err := tm.RegisterKey(tm.ctx(), ada, app, pem)
			return err
		}, waits},
		{"the same version name again", func(tm *team, ada ota.Principal) error {
			tm.do(tm.DeleteBundle(tm.ctx(), ada.Actor(), app, "1.1.0", false))
			_, _, err := tm.CreateBundle(tm.ctx(), ada.Actor(), app, tm.bundle("1.1.0"))
			return err
		}, control.CodeVersionExists},
		{"no bundle, so that its devices go elsewhere", func(tm *team, ada ota.Principal) error {
			return tm.DeleteBundle(tm.ctx(), ada.Actor(), app, "1.0.1", true)
		}, control.CodeBundleProtected},
		{"a bundle that others serve", func(tm *team, ada ota.Principal) error {
			tm.external("1.2.0")
			_, _, err := tm.Release(tm.ctx(), ada, app, prod, ota.ReleaseRequest{Version: "1.2.0"})
			return err
		}, control.CodeExternalRefused},
		{"a rollout of a bundle that others serve", func(tm *team, ada ota.Principal) error {
			tm.external("1.2.0")
			_, err := tm.SetRollout(tm.ctx(), ada, app, prod, ota.RolloutRequest{Version: "1.2.0"})
			return err
		}, control.CodeExternalRefused},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tm := newTeam(t)
			ada := tm.person("ada@example.com", 0, "system/setup")
			tm.publish("1.0.0", "1.0.1", "1.1.0")
			_, err := tm.CreateChannel(t.Context(), who, app, "beta", ota.PolicyPatch{})
			tm.do(err)
			tm.release("1.0.0", "1.0.1")
			tm.protect(1)
			if err := tt.try(tm, ada); tt.want == "" {
				tm.do(err)
			} else {
				wantCode(t, err, tt.want)
			}
			if got := tm.serves(prod); got == "1.1.0" || got == "1.2.0" {
				t.Errorf("it serves %s", got)
			}
		})
	}
}

// external imports a version that is loaded from somewhere else.
func (tm *team) external(version string) {
	tm.t.Helper()
	_, _, err := tm.ImportBundle(tm.ctx(), actor, app, ota.ImportBundle{Version: version, Variant: ota.Variant{
		ExternalURL: "https://cdn.example/" + version + ".zip", Checksum: strings.Repeat("ab", 32),
	}})
	tm.do(err)
}

// Once it was approved, a rollout grows, rests, goes on and is promoted by anybody.
func TestApprovedRolloutIsFree(t *testing.T) {
	tm := newTeam(t)
	ada, bob := tm.person("ada@example.com", 0, "system/setup"), tm.person("bob@example.com", 0, "system/sso")
	tm.publish("1.0.0", "1.1.0")
	tm.release("1.0.0")
	tm.protect(1)
	set := func(in ota.RolloutRequest) error {
		_, err := tm.SetRollout(t.Context(), ada, app, prod, in)
		return err
	}
	a := pending(t, set(ota.RolloutRequest{Version: "1.1.0", BPS: new(100)}))
	if a.Act != ota.ActRolloutStart {
		t.Errorf("act %s", a.Act)
	}
	_, err := tm.vote(bob, a)
	tm.do(err)
	for _, in := range []ota.RolloutRequest{{BPS: new(5000)}, {Paused: new(true)}, {Paused: new(false)}, {Enabled: new(false)}, {Enabled: new(true), BPS: new(10_000)}} {
		tm.do(set(in))
	}
	ch, err := tm.Channel(t.Context(), app, prod)
	tm.do(err)
	if ch.Rollout == nil || ch.Rollout.BPS != 10_000 || ch.Rollout.StartedBy != string(ada.Actor()) {
		t.Fatalf("rollout %+v", ch.Rollout)
	}
	_, err = tm.PromoteRollout(t.Context(), ada, app, prod)
	tm.do(err)
	if got := tm.serves(prod); got != "1.1.0" {
		t.Errorf("it serves %s", got)
	}
	// Somebody took it back: to start it again is a decision of its own.
	_, err = tm.Rollback(t.Context(), ada.Actor(), app, prod, ota.RollbackRequest{})
	tm.do(err)
	pending(t, set(ota.RolloutRequest{Version: "1.1.0"}))
}

// A rollout from before the protection is not approved: it stops growing.
func TestRolloutFromBeforeWaits(t *testing.T) {
	tm := newTeam(t)
	ada, bob := tm.person("ada@example.com", 0, "system/setup"), tm.person("bob@example.com", 0, "system/sso")
	tm.publish("1.0.0", "1.1.0")
	tm.release("1.0.0")
	_, err := tm.SetRollout(t.Context(), who, app, prod, ota.RolloutRequest{Version: "1.1.0", BPS: new(100)})
	tm.do(err)
	tm.protect(1)
	_, err = tm.SetRollout(t.Context(), ada, app, prod, ota.RolloutRequest{BPS: new(200)})
	grow := pending(t, err)
	_, err = tm.PromoteRollout(t.Context(), ada, app, prod)
	promote := pending(t, err)
	for _, in := range []ota.RolloutRequest{{BPS: new(50)}, {Paused: new(true)}, {Enabled: new(false)}} {
		_, err := tm.SetRollout(t.Context(), ada, app, prod, in)
		tm.do(err)
	}
	_, err = tm.SetRollout(t.Context(), ada, app, prod, ota.RolloutRequest{Enabled: new(true), Paused: new(false)})
	pending(t, err)
	if st := tm.state(grow.ID); st != ota.ApprovalSuperseded {
		t.Errorf("the request to grow is %s although the rollout changed", st)
	}
	_, err = tm.vote(bob, promote)
	tm.do(err)
	if got := tm.serves(prod); got != "1.1.0" {
		t.Errorf("it serves %s", got)
	}
}

// To protect a channel whose past could change behind the approvals is refused.
func TestNoProtectionOverForeignBundles(t *testing.T) {
	tm := newTeam(t)
	tm.publish("1.0.0")
	tm.external("0.9.0")
	tm.release("0.9.0", "1.0.0")
	_, err := tm.UpdateChannel(t.Context(), who, app, prod, ota.PolicyPatch{RequiredApprovals: new(1)})
	wantCode(t, err, control.CodeExternalRefused)
	tm.do(tm.DeleteBundle(t.Context(), actor, app, "0.9.0", false))
	tm.protect(1)
}

// Whatever is approved is done: each kind of act from its stored request.
func TestApprovedActsAreDone(t *testing.T) {
	pem := keyPair()[1].Public().PEM()
	for name, try := range map[ota.Act]func(tm *team, p ota.Principal) error{
		ota.ActChannelCreate: func(tm *team, p ota.Principal) error {
			_, err := tm.CreateChannel(tm.ctx(), p, app, "new", ota.PolicyPatch{Public: new(true)})
			return err
		},
		ota.ActChannelUpdate: func(tm *team, p ota.Principal) error {
			_, err := tm.UpdateChannel(tm.ctx(), p, app, prod, ota.PolicyPatch{RequiredApprovals: new(0)})
			return err
		},
		ota.ActChannelDelete: func(tm *team, p ota.Principal) error { return tm.DeleteChannel(tm.ctx(), p, app, prod) },
		ota.ActAppDelete:     func(tm *team, p ota.Principal) error { return tm.DeleteApp(tm.ctx(), p, app) },
		ota.ActKeyCreate: func(tm *team, p ota.Principal) error {
			_, err := tm.RegisterKey(tm.ctx(), p, app, pem)
			return err
		},
		ota.ActKeyState: func(tm *team, p ota.Principal) error {
			keys, err := tm.Keys(tm.ctx(), app)
			tm.do(err)
			_, err = tm.SetKeyState(tm.ctx(), p, app, keys[0].ID, ota.KeyRetired)
			return err
		},
		ota.ActBundleUpdate: func(tm *team, p ota.Principal) error {
			_, err := tm.UpdateBundle(tm.ctx(), p, app, "1.0.0", ota.BundlePatch{MinNative: new("0.5.0")})
			return err
		},
	} {
		t.Run(string(name), func(t *testing.T) {
			tm := newTeam(t)
			ada, bob := tm.person("ada@example.com", 0, "system/setup"), tm.person("bob@example.com", 0, "system/sso")
			tm.publish("1.0.0")
			tm.release("1.0.0")
			_, err := tm.RegisterKey(t.Context(), who, app, keyPair()[0].Public().PEM())
			tm.do(err)
			tm.protect(1)
			a := pending(t, try(tm, ada))
			if a.Act != name {
				t.Fatalf("act %s", a.Act)
			}
			got, err := tm.vote(bob, a)
			tm.do(err)
			if got.State != ota.ApprovalExecuted {
				t.Fatalf("%+v", got)
			}
			err = try(tm, ada)
			switch name {
			case ota.ActAppDelete, ota.ActChannelDelete:
				if ota.KindOf(err) != ota.KindNotFound {
					t.Errorf("deleted, yet: %v", err)
				}
			case ota.ActChannelCreate:
				wantCode(t, err, control.CodeChannelExists)
			default:
				tm.do(err) // it is as asked for: nothing to do
			}
		})
	}
}

// A tester binds devices; nobody moves the fleet that way.
func TestBindingHasALimit(t *testing.T) {
	tm := newTeam(t)
	_, err := tm.CreateChannel(t.Context(), who, app, "beta", ota.PolicyPatch{})
	tm.do(err)
	tm.protect(1)
	for i := range 100 {
		tm.do(tm.SetOverride(t.Context(), actor, app, ota.DeviceID{1, byte(i)}, "beta"))
	}
	wantCode(t, tm.SetOverride(t.Context(), actor, app, ota.DeviceID{2}, "beta"), control.CodeBindsFull)
	tm.do(tm.SetOverride(t.Context(), actor, app, ota.DeviceID{2}, prod))
	tm.pass(25 * time.Hour)
	tm.do(tm.SetOverride(t.Context(), actor, app, ota.DeviceID{3}, "beta"))
}
