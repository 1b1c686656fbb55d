package console

import (
	"slices"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

type tokensView struct {
	Tokens []ota.Token
	Next   string
	All    bool
	MayAll bool // the visitor may ask for those of others
}

// newTokenView is the form for a token.
type newTokenView struct {
	Service, Org string // whose it will be; "" = the visitor's own
	Accounts     []ota.ServiceAccount
	Groups       []matrixGroup // actions to choose among
	Ticked       map[string]bool
	Days         []int
}

type tokenView struct{ Token ota.Token }

func (c *Console) registerTokens() {
	const all, one = "/tokens", "/tokens/{token}"
	c.page(route{method: "GET", path: all, action: "token.list"}, c.showTokens)
	c.page(route{method: "GET", path: all + "/new", action: "token.create"}, c.showNewToken)
	c.act(route{method: "POST", path: all + "/new", action: "token.create"}, c.createToken, c.showNewToken)
	c.page(route{method: "GET", path: one, action: "token.get"}, c.showToken)
	c.confirmed(route{path: one + "/rotate", action: "token.rotate"}, c.askRotateToken, c.rotateToken)
	c.confirmed(route{path: one + "/revoke", action: "token.delete"}, c.askRevokeToken, c.revokeToken)
}

func (c *Console) showTokens(r *request) (answer, error) {
	v := tokensView{All: r.query("all") != "", MayAll: r.mayAnywhere("service_account.list")}
	var err error
	v.Tokens, v.Next, err = r.api.Tokens(r, ota.TokenFilter{All: v.All}, r.listPage())
	return r.show("tokens", "API tokens", v), err
}

// matrixGroups are the actions there are, by noun.
func matrixGroups(rows []ota.MatrixRow) []matrixGroup {
	var out []matrixGroup
	at := map[string]int{}
	for _, row := range rows {
		noun, _, _ := cutAction(row.Action)
		i, ok := at[noun]
		if !ok {
			i = len(out)
			at[noun], out = i, append(out, matrixGroup{Noun: noun})
		}
		out[i].Rows = append(out[i].Rows, row)
	}
	return out
}

func (c *Console) showNewToken(r *request) (answer, error) {
	v := newTokenView{Service: r.query("service"), Org: r.query("org"), Ticked: map[string]bool{}, Days: []int{7, 30, 90, 365}}
	if r.Method != "GET" {
		v.Service, v.Org = r.text("service"), r.text("org")
	}
	for _, a := range r.PostForm["actions"] {
		v.Ticked[a] = true
	}
	rows, err := r.api.AccessMatrix(r)
	if err != nil {
		return answer{}, err
	}
	v.Groups = matrixGroups(rows)
	if r.mayAnywhere("service_account.list") {
		if v.Accounts, _, err = r.api.ServiceAccounts(r, "", ota.Page{Limit: 200}); err != nil {
			return answer{}, err
		}
	}
	return r.show("newtoken", "New API token", v), nil
}

func (c *Console) createToken(r *request) (answer, error) {
	days, err := r.number("days")
	if err != nil {
		return answer{}, err
	}
	in := ota.NewToken{
		Name: r.text("name"), Service: r.text("service"), Org: r.text("org"), Actions: slices.Clone(r.PostForm["actions"]),
		ExpiresIn: int64(days) * 24 * 3600, IPRanges: r.lines("ip_ranges"),
	}
	for _, s := range r.lines("scopes") {
		scope, err := ota.ParseScope(s)
		if err != nil {
			return answer{}, err
		}
		in.Scopes = append(in.Scopes, scope)
	}
	text, t, err := r.api.CreateToken(r, in)
	return r.showOnce(tokenSecret(text.Reveal(), t, "New token")), err
}

func tokenSecret(text string, t ota.Token, heading string) secretView {
	return secretView{
		Heading: heading, About: "The token " + t.Name + ".", Label: "Secret", Text: text, Notes: []string{untilText(t.ExpiresAt)},
		Code: "export WAXWING_TOKEN=…\nwaxwing apps list", Back: address("tokens", numPlain(t.ID)), BackTo: "The token",
	}
}

func (r *request) token() (ota.Token, error) {
	id, err := r.id("token")
	if err != nil {
		return ota.Token{}, err
	}
	return r.api.Token(r, id)
}

func (c *Console) showToken(r *request) (answer, error) {
	t, err := r.token()
	return r.show("token", "Token "+t.Name, tokenView{t}), err
}

func (c *Console) askRotateToken(r *request) (confirmView, error) {
	t, err := r.token()
	return confirmView{
		Heading: "Rotate a token", Facts: [][2]string{{"Token", t.Name}}, Button: "Make a new secret", Back: address("tokens", r.PathValue("token")),
		What:    []string{"It gets a new secret, shown once.", "The old secret works for the time you choose, so that nothing breaks while you swap them.", "What it may do stays, and so does the time it was made for."},
		Choices: &confirmChoices{Name: "overlap", Label: "The old secret works for", Options: overlaps},
	}, err
}

// overlaps are how long an old secret may work beside the new one.
var overlaps = [][2]string{{"86400", "a day"}, {"3600", "an hour"}, {"604800", "a week"}, {"0", "not at all"}}

func (c *Console) rotateToken(r *request) (answer, error) {
	id, err := r.id("token")
	if err != nil {
		return answer{}, err
	}
	overlap, err := r.number("overlap")
	if err != nil {
		return answer{}, err
	}
	text, t, err := r.api.RotateToken(r, id, ota.TokenRotation{Overlap: int64(overlap)})
	return r.showOnce(tokenSecret(text.Reveal(), t, "New secret")), err
}

func (c *Console) askRevokeToken(r *request) (confirmView, error) {
	t, err := r.token()
	last := "It was never used."
	if t.LastUsed != 0 {
		last = "It was last used on " + time.UnixMilli(t.LastUsed).UTC().Format("2 January 2006, 15:04 UTC") + "."
	}
	return confirmView{
		Heading: "Revoke a token", Facts: [][2]string{{"Token", t.Name}, {"Owner", string(t.Owner.Kind) + " " + t.Owner.Name}}, Button: "Revoke", Back: address("tokens", r.PathValue("token")),
		What: []string{"It stops working at once, and for good.", last},
	}, err
}

func (c *Console) revokeToken(r *request) (answer, error) {
	id, err := r.id("token")
	if err == nil {
		err = r.api.DeleteToken(r, id)
	}
	return r.done("token_revoked", "tokens"), err
}
