package control_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/driver/sqlstore"
	"github.com/waxwing-ota/waxwing/internal/plane/control"
	"github.com/waxwing-ota/waxwing/internal/plane/directory"
	"github.com/waxwing-ota/waxwing/internal/plane/token"
)

// loner is one person who tries everything, alone: as themselves, with their own
// tokens, as machines they made, as people whose sign-in they reset, where
// approvers must be independent as people they invited, and with the token of
// nobody for all but making accounts.
type loner struct {
	*team
	me       ota.Principal
	faces    []ota.Principal
	channels []string
	victims  []ota.Principal // whose sign-in they can reset
	asked    []ota.Approval
	n        int

	independent bool // the protected channel wants independent approvers
}

func (l *loner) user(by ota.Principal) {
	l.n++
	email := fmt.Sprintf("u%d-%d@example.com", l.me.Person, l.n)
	l.faces = append(l.faces, l.person(email, by.Person, by.Actor()))
}

// reset takes an account over with a reset link.
func (l *loner) reset(by, of ota.Principal) {
	l.n++
	l.resetBy(by, of, l.n)
	if !slices.ContainsFunc(l.faces, func(p ota.Principal) bool { return p.Kind == of.Kind && p.ID == of.ID && p.Token == nil }) {
		l.faces = append(l.faces, of)
	}
}

// token gives an own token, or one of a machine.
func (l *loner) token(of, by ota.Principal) {
	l.n++
	tok := ota.Token{Name: fmt.Sprintf("t%d", l.n), CreatedBy: by.Actor(), CreatedAt: 1, Grants: []ota.Grant{}, IPRanges: []string{}}
	kind := ota.TokenOfUser
	if of.Kind == ota.PrincipalService {
		kind = ota.TokenOfService
	}
	tok.Owner = ota.TokenOwner{Kind: kind, ID: of.ID, Name: of.Name, Org: ota.MainOrg}
	err := sqlstore.Tokens{DB: l.db}.Update(l.ctx(), by.Actor(), 1, func(tx token.Tx) (ota.Change, error) {
		var err error
		tok, err = tx.InsertToken(l.ctx(), tok, ota.Sum(fmt.Append(nil, l.me.Person, l.n)))
		after, _ := json.Marshal(tok)
		return ota.Change{Action: "token.create", Object: tok.Name, Detail: "{}", After: string(after)}, err
	})
	l.do(err)
	of.Token = &tok
	l.faces = append(l.faces, of)
}

// step does one thing as one of the faces. Whatever comes of it is fine but a fault.
func (l *loner) step(t *rapid.T) {
	as := rapid.SampledFrom(l.faces).Draw(t, "as")
	channel := rapid.SampledFrom(l.channels).Draw(t, "channel")
	version := rapid.SampledFrom([]string{"1.0.0", "1.1.0", "1.2.0", ota.Builtin}).Draw(t, "version")
	ctx := l.ctx()
	var err error
	action := rapid.SampledFrom([]string{
		"release", "release", "rollout", "rollout", "grow", "promote", "rollback", "abort", "policy", "policy", "public", "create",
		"delete", "bundle", "vote", "vote", "vote", "vote", "cancel", "reject", "invite", "machine", "token", "reset", "reset", "disable", "later",
	}).Draw(t, "action")
	switch action {
	case "release":
		_, _, err = l.Release(ctx, as, app, channel, ota.ReleaseRequest{Version: version})
	case "rollout":
		_, err = l.SetRollout(ctx, as, app, channel, ota.RolloutRequest{Version: version, BPS: new(rapid.IntRange(0, 10_000).Draw(t, "bps"))})
	case "grow":
		_, err = l.SetRollout(ctx, as, app, channel, ota.RolloutRequest{BPS: new(10_000), Enabled: new(true), Paused: new(false)})
	case "promote":
		_, err = l.PromoteRollout(ctx, as, app, channel)
	case "rollback":
		_, err = l.Rollback(ctx, as.Actor(), app, channel, ota.RollbackRequest{To: version})
	case "abort":
		err = l.AbortRollout(ctx, as.Actor(), app, channel)
	case "policy":
		_, err = l.UpdateChannel(ctx, as, app, channel, ota.PolicyPatch{
			RequiredApprovals: new(rapid.IntRange(0, 2).Draw(t, "required")), IndependentApprovers: new(rapid.Bool().Draw(t, "strict")),
		})
	case "public":
		_, err = l.UpdateChannel(ctx, as, app, channel, ota.PolicyPatch{Public: new(rapid.Bool().Draw(t, "public")), IOS: new(rapid.Bool().Draw(t, "ios"))})
	case "create":
		name := rapid.SampledFrom([]string{"a", "b", prod}).Draw(t, "name")
		_, err = l.CreateChannel(ctx, as, app, name, ota.PolicyPatch{
			Public: new(rapid.Bool().Draw(t, "public")), RequiredApprovals: new(rapid.IntRange(0, 2).Draw(t, "required")),
			IndependentApprovers: new(rapid.Bool().Draw(t, "strict")),
		})
		if err == nil {
			l.channels = append(l.channels, name)
		}
	case "delete":
		err = l.DeleteChannel(ctx, as, app, channel)
	case "bundle":
		err = l.DeleteBundle(ctx, as.Actor(), app, version, rapid.Bool().Draw(t, "force"))
	case "vote":
		if len(l.asked) > 0 {
			_, err = l.vote(as, rapid.SampledFrom(l.asked).Draw(t, "request"))
		}
	case "cancel", "reject":
		if len(l.asked) > 0 && action == "cancel" {
			_, err = l.CancelApproval(ctx, as, l.asked[0].ID)
		} else if len(l.asked) > 0 && rapid.IntRange(0, 4).Draw(t, "really") == 0 {
			_, err = l.RejectApproval(ctx, as, l.asked[0].ID, ota.ApprovalReason{Reason: "no"})
		}
	case "invite":
		if as.Kind == ota.PrincipalService || as.Kind == ota.PrincipalUser && l.independent {
			l.user(as)
		}
	case "reset":
		l.reset(as, rapid.SampledFrom(l.victims).Draw(t, "of"))
	case "machine":
		if l.n++; as.Kind == ota.PrincipalToken {
			break
		}
		l.faces = append(l.faces, l.machine(fmt.Sprintf("m%d-%d", l.me.Person, l.n), as.Actor()))
	case "token":
		if as.Kind == ota.PrincipalUser || as.Kind == ota.PrincipalService {
			l.token(as, rapid.SampledFrom(l.owned()).Draw(t, "by"))
		}
	case "disable":
		l.drop(as)
	case "later":
		l.pass(time.Duration(rapid.IntRange(1, 30).Draw(t, "hours")) * time.Hour)
	}
	if p, ok := errors.AsType[*control.PendingError](err); ok {
		l.asked = append(l.asked, p.Approval)
	}
	if err != nil && ota.KindOf(err) == ota.KindInternal {
		t.Fatalf("%s: %v", action, err)
	}
}

// owned are the faces without the token of nobody. Who holds that makes accounts
// that nobody stands behind, as the operator of the server: it is to be deleted
// once there are people.
func (l *loner) owned() []ota.Principal {
	return slices.DeleteFunc(slices.Clone(l.faces), func(p ota.Principal) bool { return p.Kind == ota.PrincipalToken })
}

// drop deletes a machine, so that what it made has no maker.
func (l *loner) drop(as ota.Principal) {
	if as.Kind != ota.PrincipalService {
		return
	}
	l.do(sqlstore.Directory{DB: l.db}.Update(l.ctx(), l.me.Actor(), 1, func(tx directory.Tx) (ota.Change, error) {
		return ota.Change{Action: "service.delete", Detail: "{}"}, tx.DeleteServiceAccount(l.ctx(), as.ID)
	}))
	l.faces = slices.DeleteFunc(l.faces, func(p ota.Principal) bool { return p.Kind == ota.PrincipalService && p.ID == as.ID })
}

// evil reports whether devices that were on the protected channel when it all
// began could get what nobody else approved.
func (l *loner) evil() string {
	all, err := l.Channels(l.ctx(), app)
	l.do(err)
	is := map[string]bool{}
	for _, c := range all {
		if c.Name == prod || c.Policy.Public {
			is[c.Name] = true
			if c.Release != nil && c.Release.Version != "1.0.0" && c.Release.BundleID != 0 {
				return fmt.Sprintf("channel %s serves %s", c.Name, c.Release.Version)
			}
			if c.Rollout != nil {
				return fmt.Sprintf("channel %s offers %s", c.Name, c.Rollout.Version)
			}
		}
		if c.Name == prod && (c.Policy.RequiredApprovals < 1 || l.independent && !c.Policy.IndependentApprovers) {
			return "the channel is not protected any more"
		}
	}
	if !is[prod] {
		return "the channel is gone"
	}
	return ""
}

// No sequence of one person's acts puts on a protected channel, or on devices
// that default to it, what no second person approved.
func TestOnePersonAloneReleasesNothing(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		tm := newTeam(t)
		tm.publish("1.0.0", "1.1.0", "1.2.0")
		tm.release("1.0.0")
		_, err := tm.CreateChannel(t.Context(), who, app, "beta", ota.PolicyPatch{})
		tm.do(err)
		strict := rapid.Bool().Draw(rt, "independent")
		tm.protectBy(ota.PolicyPatch{RequiredApprovals: new(1), IndependentApprovers: &strict})
		me := tm.person("mallory@example.com", 0, "system/setup")
		l := &loner{team: tm, me: me, faces: []ota.Principal{me, who}, channels: []string{prod, "beta"}, independent: strict}
		l.victims = []ota.Principal{me, tm.person("vic@example.com", 0, "system/sso"), tm.person("tim@example.com", 0, "system/sso")}
		for range rapid.IntRange(5, 40).Draw(rt, "steps") {
			l.step(rt)
			if what := l.evil(); what != "" {
				rt.Fatalf("one person did it alone: %s", what)
			}
		}
		// With a second person it does.
		other := tm.person("second@example.com", 0, "system/sso")
		if _, err := tm.Bundle(t.Context(), app, "1.1.0"); err != nil {
			return
		}
		_, _, err = tm.Release(t.Context(), me, app, prod, ota.ReleaseRequest{Version: "1.1.0"})
		p, ok := errors.AsType[*control.PendingError](err)
		if !ok {
			return // a version that was deleted
		}
		for i := range 3 {
			got, err := tm.vote(other, p.Approval)
			tm.do(err)
			if got.State == ota.ApprovalExecuted {
				break
			}
			other = tm.person(fmt.Sprintf("further%d@example.com", i), 0, "system/sso")
		}
		if got := tm.serves(prod); got != "1.1.0" {
			rt.Fatalf("with others it serves %s", got)
		}
	})
}
