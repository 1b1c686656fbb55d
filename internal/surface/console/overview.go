package console

import "github.com/waxwing-ota/waxwing/internal/core/ota"

type overviewView struct {
	Attention []ota.Attention
	Mine      []ota.Approval // wait for the visitor
	Apps      []ota.AppSummary
	More      string
	Status    *ota.ServerStatus // nil = not for this visitor
}

func (c *Console) registerOverview() {
	c.page(route{method: "GET", path: "/{$}", action: "app.list", somewhere: true}, c.showOverview)
}

func (c *Console) showOverview(r *request) (answer, error) {
	var v overviewView
	var err error
	if v.Attention, err = r.api.Attention(r); err != nil {
		return answer{}, err
	}
	if r.mayAnywhere("approval.list") {
		if v.Mine, _, err = r.api.ApprovalsForMe(r, ota.Page{Limit: 20}); err != nil {
			return answer{}, err
		}
	}
	if v.Apps, v.More, err = r.api.AppSummaries(r, ota.Page{Limit: 12}); err != nil {
		return answer{}, err
	}
	if s, err := r.api.Status(r); err == nil {
		v.Status = &s
	} else if ota.KindOf(err) != ota.KindForbidden {
		return answer{}, err
	}
	return r.show("overview", "Overview", v), nil
}
