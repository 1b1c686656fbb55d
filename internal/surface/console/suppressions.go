package console

import "github.com/waxwing-ota/waxwing/internal/core/ota"

type suppressionsView struct {
	Suppressions []ota.Suppression
	State        ota.SuppressionState // only those; "" = all
	States       []ota.SuppressionState
	Next         string
}

func (c *Console) registerSuppressions() {
	const all = "/apps/{app}/suppressions"
	c.page(route{method: "GET", path: all, action: "suppression.list"}, c.showSuppressions)
	c.act(route{method: "POST", path: all + "/decide", action: "suppression.decide"}, c.decideSuppression, c.showSuppressions)
	c.act(route{method: "POST", path: all + "/delete", action: "suppression.delete"}, c.deleteSuppression, c.showSuppressions)
}

func (c *Console) showSuppressions(r *request) (answer, error) {
	v := suppressionsView{
		State:  ota.SuppressionState(r.query("state")),
		States: []ota.SuppressionState{ota.SuppressionRequested, ota.SuppressionApproved, ota.SuppressionRejected},
	}
	var err error
	v.Suppressions, v.Next, err = r.api.Suppressions(r, r.app(), v.State, r.listPage())
	return r.show("suppressions", "Suppressions", v), err
}

func (c *Console) decideSuppression(r *request) (answer, error) {
	id, err := r.formID("suppression")
	if err != nil {
		return answer{}, err
	}
	approve, notice := false, "suppression_rejected"
	switch r.text("decision") {
	case "approve":
		approve, notice = true, "suppression_approved"
	case "reject":
	default:
		return answer{}, ota.Invalid("decision_invalid", "approve it or reject it").WithField("decision")
	}
	_, err = r.api.DecideSuppression(r, r.app(), id, approve, r.text("note"))
	return r.done(notice, "apps", r.app(), "suppressions"), err
}

func (c *Console) deleteSuppression(r *request) (answer, error) {
	id, err := r.formID("suppression")
	if err == nil {
		err = r.api.DeleteSuppression(r, r.app(), id)
	}
	return r.done("suppression_deleted", "apps", r.app(), "suppressions"), err
}
