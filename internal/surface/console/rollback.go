package console

import "github.com/waxwing-ota/waxwing/internal/core/ota"

// rollbackView shows whom a rollback reaches before it is done.
type rollbackView struct {
	Impact  ota.Impact
	Choices []string // versions of the history to go back to
	To      string   // that was asked for; "" = the one before
}

func (c *Console) registerRollback() {
	const one = "/apps/{app}/channels/{channel}/rollback"
	c.page(route{method: "GET", path: one, action: "release.rollback"}, c.showRollback)
	c.act(route{method: "POST", path: one, action: "release.rollback"}, c.rollback, c.showRollback)
}

func (c *Console) showRollback(r *request) (answer, error) {
	v := rollbackView{To: r.query("to")}
	if r.Method != "GET" {
		v.To = r.text("to")
	}
	var err error
	if v.Impact, err = r.api.Impact(r, r.app(), r.channel(), v.To); err != nil {
		return answer{}, err
	}
	history, _, err := r.api.Releases(r, r.app(), r.channel(), ota.Page{Limit: 50})
	if err != nil {
		return answer{}, err
	}
	seen := map[string]bool{v.Impact.From: true}
	for _, h := range history {
		if !seen[h.Version] {
			seen[h.Version] = true
			v.Choices = append(v.Choices, h.Version)
		}
	}
	if !seen[ota.Builtin] {
		v.Choices = append(v.Choices, ota.Builtin)
	}
	return r.show("rollback", "Roll back "+r.channel(), v), nil
}

// rollback goes to the version that the page named, so that what was shown is
// what is done even if somebody released in between.
func (c *Console) rollback(r *request) (answer, error) {
	ch, err := r.api.Channel(r, r.app(), r.channel())
	if err != nil {
		return answer{}, err
	}
	if ch.Release == nil || ch.Release.Version != r.text("from") {
		return answer{}, ota.Conflict("channel_moved", "the channel serves something else than when this page was made").
			WithHint("look at the numbers again and repeat")
	}
	_, err = r.api.Rollback(r, r.app(), r.channel(), ota.RollbackRequest{To: r.text("to"), Note: r.text("note")})
	return r.done("rolled_back", "apps", r.app(), "channels", r.channel()), err
}
