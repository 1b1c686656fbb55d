package console

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// approvalView is a request with the document that is approved, laid out to read.
type approvalView struct {
	Approval   ota.ApprovalDetail
	Document   string // as it is, but on lines
	Waits      bool
	MayReject  bool
	MayBreak   bool
	MayApprove bool // has the right; whether it would count is in Approval.You
}

func (c *Console) registerApproval() {
	const one = "/approvals/{approval}"
	c.page(route{method: "GET", path: one, action: "approval.get", somewhere: true}, c.showApproval)
	c.act(route{method: "POST", path: one + "/approve", action: "approval.approve", somewhere: true}, c.approve, c.showApproval)
	c.page(route{method: "POST", path: one + "/challenge", action: "approval.approve", somewhere: true}, c.challengeApproval)
	c.act(route{method: "POST", path: one + "/cancel", action: "approval.cancel", somewhere: true}, c.cancelApproval, c.showApproval)
	c.confirmed(route{path: one + "/reject", action: "approval.reject", somewhere: true}, c.askReject, c.rejectApproval)
	c.confirmed(route{path: one + "/break-glass", action: "approval.breakglass", somewhere: true}, c.askBreakGlass, c.breakGlass)
}

func (r *request) approval() (ota.ApprovalDetail, error) {
	id, err := r.id("approval")
	if err != nil {
		return ota.ApprovalDetail{}, err
	}
	return r.api.Approval(r, id)
}

func (c *Console) showApproval(r *request) (answer, error) {
	a, err := r.approval()
	if err != nil {
		return answer{}, err
	}
	v := approvalView{Approval: a, Waits: a.State == ota.ApprovalRequested}
	var pretty bytes.Buffer
	if json.Indent(&pretty, a.Document, "", "  ") == nil {
		v.Document = pretty.String()
	} else {
		v.Document = string(a.Document)
	}
	on := ota.Scope{App: a.App, Channel: a.Channel}
	v.MayApprove, v.MayReject, v.MayBreak = r.mayOn("approval.approve", on), r.mayOn("approval.reject", on), r.mayOn("approval.breakglass", on)
	return r.show("approval", fmt.Sprintf("Approval %d", a.ID), v), nil
}

// approve votes for the digest that the page showed. With script the form also
// carries what the person's passkey signed.
func (c *Console) approve(r *request) (answer, error) {
	id, err := r.id("approval")
	if err != nil {
		return answer{}, err
	}
	digest, err := ota.ParseDigest(r.text("digest"))
	if err != nil {
		return answer{}, err
	}
	in := ota.ApprovalVoteRequest{Digest: digest}
	if text := r.text("assertion"); text != "" {
		if !json.Valid([]byte(text)) {
			return answer{}, ota.Invalid("assertion_invalid", "what the passkey signed cannot be read").WithField("assertion").WithHint("try again")
		}
		in.Assertion = json.RawMessage(text)
	}
	a, err := r.api.Approve(r, id, in)
	notice := "approved"
	if a.State == ota.ApprovalExecuted {
		notice = "approved_done"
	}
	return r.done(notice, "approvals", strconv.FormatInt(id, 10)), err
}

// challengeApproval tells the page's script what the passkey has to sign.
func (c *Console) challengeApproval(r *request) (answer, error) {
	id, err := r.id("approval")
	var options json.RawMessage
	if err == nil {
		options, err = r.api.ApprovalChallenge(r, id)
	}
	return answer{raw: func(w http.ResponseWriter) error {
		w.Header().Set("Content-Type", "application/json")
		if err == nil {
			return json.NewEncoder(w).Encode(map[string]json.RawMessage{"options": options})
		}
		e, ok := errors.AsType[*ota.Error](err)
		if !ok {
			e = asProblem(err)
		}
		w.WriteHeader(statusOf(e.Kind))
		return json.NewEncoder(w).Encode(map[string]string{"detail": e.Msg, "hint": e.Hint})
	}}, nil
}

func (c *Console) cancelApproval(r *request) (answer, error) {
	id, err := r.id("approval")
	if err == nil {
		_, err = r.api.CancelApproval(r, id)
	}
	return r.done("approval_cancelled", "approvals", strconv.FormatInt(id, 10)), err
}

func (c *Console) askReject(r *request) (confirmView, error) {
	a, err := r.approval()
	return confirmView{
		Heading: fmt.Sprintf("Reject request %d", a.ID), Facts: approvalFacts(&a), Reason: "Why", Button: "Reject",
		What: []string{"The request ends: one rejection is enough.", "Nothing changes for devices.", "Whoever asked can ask again, and sees why you rejected it."},
		Back: address("approvals", r.PathValue("approval")),
	}, err
}

func (c *Console) rejectApproval(r *request) (answer, error) {
	id, err := r.id("approval")
	if err == nil {
		_, err = r.api.RejectApproval(r, id, ota.ApprovalReason{Reason: r.text("reason")})
	}
	return r.done("approval_rejected", "approvals", strconv.FormatInt(id, 10)), err
}

func (c *Console) askBreakGlass(r *request) (confirmView, error) {
	a, err := r.approval()
	return confirmView{
		Heading: fmt.Sprintf("Break the glass for request %d", a.ID), Facts: approvalFacts(&a), Reason: "Why nobody can be waited for", Button: "Do it without approval",
		What: []string{
			fmt.Sprintf("It is done now, with %d of %d approvals.", a.Have, a.Need),
			"Devices get it at their next update check.",
			"The channel shows for a week that it was done without approval, the audit log for ever, and webhooks and mails say so at once.",
		},
		Back: address("approvals", r.PathValue("approval")),
	}, err
}

func (c *Console) breakGlass(r *request) (answer, error) {
	id, err := r.id("approval")
	if err == nil {
		_, err = r.api.BreakGlass(r, id, ota.ApprovalReason{Reason: r.text("reason")})
	}
	return r.done("glass_broken", "approvals", strconv.FormatInt(id, 10)), err
}

func approvalFacts(a *ota.ApprovalDetail) [][2]string {
	return [][2]string{{"What", string(a.Act) + " " + a.Object}, {"Where", ota.Scope{Org: a.Org, App: a.App, Channel: a.Channel}.String()}, {"Asked by", string(a.Actor)}}
}
