package console

import "github.com/waxwing-ota/waxwing/internal/core/ota"

type appView struct {
	App      ota.App
	Channels []ota.Channel
	Stats    statsView
}

// statsView is the part of the page that is sent again when it changes.
type statsView struct {
	App      string
	Stats    ota.AppStats
	Outcomes *chart
	Checks   *chart
	Took     int64
	Failed   int64
	Mark     string // of all the above: the same numbers have the same
}

func (c *Console) registerApp() {
	c.page(route{method: "GET", path: "/apps/{app}", action: "app.get"}, c.showApp)
	c.page(route{method: "GET", path: "/apps/{app}/live", action: "app.get"}, c.liveApp)
}

func (c *Console) showApp(r *request) (answer, error) {
	var v appView
	var err error
	if v.App, err = r.api.App(r, r.app()); err != nil {
		return answer{}, err
	}
	if v.Channels, err = r.api.Channels(r, r.app()); err != nil {
		return answer{}, err
	}
	if v.Stats, err = c.stats(r); err != nil {
		return answer{}, err
	}
	return r.show("app", nameOf(v.App), v), nil
}

func nameOf(a ota.App) string {
	if a.Name != "" {
		return a.Name
	}
	return a.ID
}

func (c *Console) stats(r *request) (statsView, error) {
	st, err := r.api.Stats(r, r.app(), 0)
	if err != nil {
		return statsView{}, err
	}
	now := c.deps.Now().UnixMilli()
	v := statsView{App: r.app(), Stats: st, Outcomes: outcomeChart(st.Hours, now), Checks: checkChart(st.Checks, now)}
	v.Took, v.Failed = v.Outcomes.Series[0].Total+v.Outcomes.Series[1].Total, v.Outcomes.Series[1].Total
	v.Mark, err = markOf(v)
	return v, err
}

// liveApp sends the numbers whenever they have changed from those that the page
// shows.
func (c *Console) liveApp(r *request) (answer, error) {
	return c.watch(r, "app", liveEvery, func() (any, string, error) {
		v, err := c.stats(r)
		return v, v.Mark, err
	})
}
