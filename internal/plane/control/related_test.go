package control_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/driver/sqlstore"
	"github.com/waxwing-ota/waxwing/internal/plane/control"
	"github.com/waxwing-ota/waxwing/internal/plane/directory"
	"github.com/waxwing-ota/waxwing/internal/plane/identity"
	"github.com/waxwing-ota/waxwing/internal/plane/token"
)

// resetBy replaces how a user signs in, with a link that by made.
func (tm *team) resetBy(by, of ota.Principal, n int) {
	tm.t.Helper()
	maker := by.Person
	if maker == 0 {
		maker = -1
	}
	tm.do(sqlstore.Identity{DB: tm.db}.Update(tm.ctx(), by.Actor(), 1, func(tx identity.Tx) (ota.Change, error) {
		l, err := tx.InsertEnrolLink(tm.ctx(), identity.EnrolLink{
			Kind: identity.LinkReset, UserID: of.ID, Maker: maker, CreatedBy: by.Actor(), ExpiresAt: 1 << 50,
		}, ota.Sum(fmt.Append(nil, "link", n)))
		if err != nil {
			return ota.Change{}, err
		}
		if _, err := tx.UseEnrolLink(tm.ctx(), l.ID, 2); err != nil {
			return ota.Change{}, err
		}
		return ota.Change{Action: "user.reset_done", Object: of.Name, Detail: "{}"}, tx.PutPassword(tm.ctx(), identity.Password{
			UserID: of.ID, PHC: "x", TOTP: []byte("x"), ResetBy: maker,
		})
	}))
}

// invited adds a user with an invitation that was delivered in a way.
func (tm *team) invited(email string, by ota.Principal, via string) ota.Principal {
	tm.t.Helper()
	var u ota.User
	tm.do(sqlstore.Directory{DB: tm.db}.Update(tm.ctx(), by.Actor(), 1, func(tx directory.Tx) (ota.Change, error) {
		var err error
		u, err = tx.InsertUser(tm.ctx(), ota.User{Email: email, Name: email, CreatedBy: by.Actor(), InvitedBy: by.Person, InvitedVia: via})
		return ota.Change{Action: "user.create", Object: email, Detail: "{}"}, err
	}))
	return ota.Principal{Kind: ota.PrincipalUser, ID: u.ID, Name: email, Person: u.ID}
}

// In the usual team one owner invited everybody. They approve, and it is shown.
func TestInvitedPeopleApproveAsRelated(t *testing.T) {
	for _, tt := range []struct {
		name          string
		author, voter string
		related       string
		strict        string // the code where approvers must be independent
	}{
		{"who was invited by the author", "ada", "bob", "invited by the author", control.CodeApprovalRelated},
		{"who invited the author", "bob", "ada", "invited the author", control.CodeApprovalRelated},
		{"who was invited by the same person", "bob", "cyd", "invited by the same person as the author", control.CodeApprovalRelated},
		{"who was invited by mail", "ada", "post", "", ""},
		{"who invited the author by mail", "post", "ada", "", ""},
		{"single sign-on", "ada", "sso", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, independent := range []bool{false, true} {
				tm := newTeam(t)
				ada := tm.person("ada@example.com", 0, "system/setup")
				cast := map[string]ota.Principal{
					"ada": ada, "bob": tm.invited("bob@example.com", ada, ota.DeliverLink), "cyd": tm.invited("cyd@example.com", ada, ota.DeliverLink),
					"post": tm.invited("post@example.com", ada, ota.DeliverMail), "sso": tm.person("sso@example.com", 0, "sso:okta"),
				}
				author, voter := cast[tt.author], cast[tt.voter]
				tm.publish("1.0.0")
				tm.protectBy(ota.PolicyPatch{RequiredApprovals: new(1), IndependentApprovers: &independent})
				a := tm.ask(author, "1.0.0")
				got, err := tm.vote(voter, a)
				if independent && tt.strict != "" {
					wantCode(t, err, tt.strict)
					continue
				}
				tm.do(err)
				if got.State != ota.ApprovalExecuted || got.Votes[0].Related != tt.related || a.Independent != independent {
					t.Errorf("independent %v: %+v", independent, got)
				}
				again, err := tm.Approval(t.Context(), ota.Principal{}, a.ID)
				tm.do(err)
				if again.Votes[0].Related != tt.related {
					t.Errorf("stored as %q", again.Votes[0].Related)
				}
				changes, _, err := tm.Changes(t.Context(), app, ota.Page{Limit: 1})
				tm.do(err)
				var detail struct {
					Related map[string]string `json:"related"`
				}
				if err := json.Unmarshal([]byte(changes[0].Detail), &detail); err != nil || detail.Related[string(voter.Actor())] != tt.related {
					t.Errorf("recorded %s", changes[0].Detail)
				}
			}
		})
	}
}

// Who reset how somebody signs in may be them ever after, whatever the rule.
func TestResetsDisqualify(t *testing.T) {
	for _, tt := range []struct {
		name string
		want string
		do   func(tm *team, ada, bob, eve ota.Principal) (author, voter ota.Principal)
	}{
		{"the author reset the voter", control.CodeApprovalRelated, func(tm *team, ada, bob, _ ota.Principal) (_, _ ota.Principal) {
			tm.resetBy(ada, bob, 1)
			return ada, bob
		}},
		{"the voter reset the author", control.CodeApprovalRelated, func(tm *team, ada, bob, _ ota.Principal) (_, _ ota.Principal) {
			tm.resetBy(bob, ada, 1)
			return ada, bob
		}},
		{"somebody reset both", control.CodeApprovalRelated, func(tm *team, ada, bob, eve ota.Principal) (_, _ ota.Principal) {
			tm.resetBy(eve, ada, 1)
			tm.resetBy(eve, bob, 2)
			return ada, bob
		}},
		{"somebody unknown reset the voter", control.CodeApprovalRelated, func(tm *team, ada, bob, _ ota.Principal) (_, _ ota.Principal) {
			tm.resetBy(who, bob, 1)
			return ada, bob
		}},
		{"two accounts that the voter took over reset each other", control.CodeApprovalRelated, func(tm *team, ada, bob, eve ota.Principal) (_, _ ota.Principal) {
			tm.resetBy(eve, ada, 1)
			tm.resetBy(eve, bob, 2)
			tm.resetBy(bob, ada, 3)
			tm.resetBy(ada, bob, 4)
			return ada, eve
		}},
		{"an account that the voter took over resets itself", control.CodeApprovalRelated, func(tm *team, ada, _, eve ota.Principal) (_, _ ota.Principal) {
			tm.resetBy(eve, ada, 1)
			tm.resetBy(ada, ada, 2)
			return ada, eve
		}},
		{"a third person reset the voter", "", func(tm *team, ada, bob, eve ota.Principal) (_, _ ota.Principal) {
			tm.resetBy(eve, bob, 1)
			return ada, bob
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tm := newTeam(t)
			ada := tm.person("ada@example.com", 0, "system/setup")
			bob, eve := tm.person("bob@example.com", 0, "sso:okta"), tm.person("eve@example.com", 0, "sso:okta")
			tm.publish("1.0.0")
			tm.protect(1)
			author, voter := tt.do(tm, ada, bob, eve)
			_, err := tm.vote(voter, tm.ask(author, "1.0.0"))
			if tt.want == "" {
				tm.do(err)
				return
			}
			wantCode(t, err, tt.want)
		})
	}
}

// An author whose account somebody unknown reset may be one of the approvers.
func TestResetAuthorNeedsOneMore(t *testing.T) {
	tm := newTeam(t)
	ada := tm.person("ada@example.com", 0, "system/setup")
	tm.publish("1.0.0")
	tm.protect(1)
	tm.resetBy(who, ada, 1)
	if a := tm.ask(ada, "1.0.0"); a.Need != 2 {
		t.Errorf("need %d", a.Need)
	}
}

// token stores a token of somebody, as recorded of who was shown it.
func (tm *team) token(of ota.Principal, kind ota.TokenOwnerKind, by ota.Actor) ota.Principal {
	tm.t.Helper()
	tok := ota.Token{
		Name: "t", CreatedBy: by, CreatedAt: 1, Grants: []ota.Grant{}, IPRanges: []string{},
		Owner: ota.TokenOwner{Kind: kind, ID: of.ID, Name: of.Name, Org: ota.MainOrg},
	}
	tm.record("token.create", by, &tok, func(tx token.Tx) (err error) {
		tok, err = tx.InsertToken(tm.ctx(), tok, ota.Sum([]byte("t")))
		return err
	})
	of.Token = &tok
	return of
}

func (tm *team) record(action string, by ota.Actor, tok *ota.Token, fn func(token.Tx) error) {
	tm.t.Helper()
	tm.do(sqlstore.Tokens{DB: tm.db}.Update(tm.ctx(), by, 1, func(tx token.Tx) (ota.Change, error) {
		err := fn(tx)
		after, _ := json.Marshal(tok)
		return ota.Change{Action: action, Object: tok.Name, Detail: "{}", After: string(after)}, err
	}))
}

func (tm *team) rotated(tok *ota.Token, by ota.Actor) {
	tm.t.Helper()
	tm.record("token.rotate", by, tok, func(token.Tx) error { return nil })
}

// A token of a person that somebody else was shown does not approve.
func TestTokenThatOthersSawApprovesNot(t *testing.T) {
	tm := newTeam(t)
	ada, bob := tm.person("ada@example.com", 0, "system/setup"), tm.person("bob@example.com", 0, "sso:okta")
	tm.publish("1.0.0")
	tm.protect(1)
	a := tm.ask(ada, "1.0.0")
	with := tm.token(bob, ota.TokenOfUser, bob.Actor())
	tm.rotated(with.Token, ada.Actor())
	_, err := tm.vote(with, a)
	wantCode(t, err, control.CodeApprovalPerson)
	_, err = tm.vote(bob, a)
	tm.do(err)
}

// Who rotated the token of a machine through a machine that is gone may be one of
// the approvers.
func TestTokenThatSomebodyUnknownSawNeedsOneMore(t *testing.T) {
	tm := newTeam(t)
	ada := tm.person("ada@example.com", 0, "system/setup")
	tm.publish("1.0.0")
	tm.protect(1)
	with := tm.token(tm.machine("deploy", ada.Actor()), ota.TokenOfService, ada.Actor())
	tm.rotated(with.Token, "service:gone")
	if a := tm.ask(with, "1.0.0"); a.Need != 2 || len(a.Authors) != 1 {
		t.Errorf("need %d of authors %v", a.Need, a.Authors)
	}
}

// What was made in the name of an address stays with who had the address then.
func TestAddressThatChangedHands(t *testing.T) {
	tm := newTeam(t)
	eve, vic := tm.person("eve@example.com", 0, "system/setup"), tm.person("vic@example.com", 0, "sso:okta")
	tm.publish("1.0.0")
	tm.protect(1)
	deploy := tm.machine("deploy", eve.Actor())
	for _, to := range []struct {
		id    int64
		email string
	}{{eve.ID, "eve2@example.com"}, {vic.ID, "eve@example.com"}} {
		tm.do(sqlstore.Directory{DB: tm.db}.Update(tm.ctx(), "user:root@example.com", 1, func(tx directory.Tx) (ota.Change, error) {
			u, err := tx.User(tm.ctx(), to.id)
			if err != nil {
				return ota.Change{}, err
			}
			u.Email = to.email
			return ota.Change{Action: "user.update", Object: u.Email, Detail: "{}"}, tx.UpdateUser(tm.ctx(), u)
		}))
	}
	_, err := tm.vote(eve, tm.ask(deploy, "1.0.0"))
	wantCode(t, err, control.CodeApprovalOwn)
}

// A CI run asks in the name of who let its repository in, and never approves.
func TestTrustedPublisherAsks(t *testing.T) {
	tm := newTeam(t)
	ada, bob := tm.person("ada@example.com", 0, "system/setup"), tm.person("bob@example.com", 0, "sso:okta")
	tm.publish("1.0.0")
	tm.protect(1)
	var pub ota.TrustedPublisher
	tm.do(sqlstore.Tokens{DB: tm.db}.Update(tm.ctx(), ada.Actor(), 1, func(tx token.Tx) (ota.Change, error) {
		var err error
		pub, err = tx.InsertPublisher(tm.ctx(), ota.TrustedPublisher{
			Org: ota.MainOrg, Name: "gh", Provider: ota.ProviderGitHub, Issuer: "https://ci.example.com", RepositoryID: "1", OwnerID: "2",
			Repository: "a/b", Workflow: "release.yml", Ref: "refs/heads/main", Role: ota.RoleReleaseManager,
			Scope: ota.Scope{Org: ota.MainOrg}, Actions: []string{}, CreatedAt: 1, CreatedBy: ada.Actor(),
		})
		return ota.Change{Action: "trusted_publisher.create", Object: "gh", Detail: "{}"}, err
	}))
	run := tm.token(ota.Principal{Kind: ota.PrincipalCI, ID: pub.ID, Name: "gh"}, ota.TokenOfPublisher, "ci:gh")
	a := tm.ask(run, "1.0.0")
	if a.Need != 1 || len(a.Authors) != 1 || a.Authors[0] != ada.Person {
		t.Fatalf("need %d of authors %v", a.Need, a.Authors)
	}
	_, err := tm.vote(run, a)
	wantCode(t, err, control.CodeApprovalPerson)
	_, err = tm.vote(ada, a)
	wantCode(t, err, control.CodeApprovalOwn)
	tm.do(sqlstore.Tokens{DB: tm.db}.Update(tm.ctx(), bob.Actor(), 1, func(tx token.Tx) (ota.Change, error) {
		return ota.Change{Action: "trusted_publisher.delete", Object: "gh", Detail: "{}"}, tx.DeletePublisher(tm.ctx(), pub.ID)
	}))
	_, err = tm.vote(ada, a)
	wantCode(t, err, control.CodeApprovalOwn)
	_, err = tm.vote(bob, a)
	tm.do(err)
	if got := tm.serves(prod); got != "1.0.0" {
		t.Errorf("it serves %q", got)
	}
}
