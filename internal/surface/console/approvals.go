package console

import (
	"slices"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

type approvalsView struct {
	Mine    map[int64]bool // wait for the visitor
	Waiting []ota.Approval
	Closed  []ota.Approval
	Next    string // of Closed
	State   ota.ApprovalState
	App     string
	States  []ota.ApprovalState
}

func (c *Console) registerApprovals() {
	c.page(route{method: "GET", path: "/approvals", action: "approval.list", somewhere: true}, c.showApprovals)
}

func (c *Console) showApprovals(r *request) (answer, error) {
	v := approvalsView{
		Mine: map[int64]bool{}, State: ota.ApprovalState(r.query("state")), App: r.query("app"),
		States: []ota.ApprovalState{
			ota.ApprovalRequested, ota.ApprovalExecuted, ota.ApprovalRejected, ota.ApprovalExpired, ota.ApprovalSuperseded, ota.ApprovalCancelled,
		},
	}
	mine, _, err := r.api.ApprovalsForMe(r, ota.Page{Limit: 100})
	if err != nil {
		return answer{}, err
	}
	for _, a := range mine {
		v.Mine[a.ID] = true
	}
	if v.State == "" && r.query("after") == "" {
		if v.Waiting, _, err = r.api.Approvals(r, ota.ApprovalFilter{App: v.App, State: ota.ApprovalRequested}, ota.Page{Limit: 100}); err != nil {
			return answer{}, err
		}
	}
	if v.Closed, v.Next, err = r.api.Approvals(r, ota.ApprovalFilter{App: v.App, State: v.State}, r.listPage()); err != nil {
		return answer{}, err
	}
	if v.State == "" {
		v.Closed = slices.DeleteFunc(v.Closed, func(a ota.Approval) bool { return a.State == ota.ApprovalRequested })
	}
	// Who can do something about it comes first.
	slices.SortStableFunc(v.Waiting, func(a, b ota.Approval) int {
		switch {
		case v.Mine[a.ID] == v.Mine[b.ID]:
			return 0
		case v.Mine[a.ID]:
			return -1
		}
		return 1
	})
	return r.show("approvals", "Approvals", v), nil
}
