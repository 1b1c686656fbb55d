package adminapi

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/control"
)

// async is what clients prefer (RFC 7240) that know of approvals: they get 202
// with the request. All others get a conflict, so that none takes "not yet" for "done".
const async = "respond-async"

// Accepted is the answer to an operation that waits for approval.
type Accepted struct {
	Approval ota.Approval `json:"approval" doc:"the request that others must approve first; nothing was changed yet"`
}

// Error makes Accepted an answer that an operation with another one can give.
func (a *Accepted) Error() string {
	return "approval " + strconv.FormatInt(a.Approval.ID, 10) + " is wanted"
}

// GetStatus tells huma the status.
func (a *Accepted) GetStatus() int { return http.StatusAccepted }

// GetHeaders tells huma further headers.
func (a *Accepted) GetHeaders() http.Header {
	return http.Header{
		"Preference-Applied": {async},
		"Location":           {prefix + "/approvals/" + strconv.FormatInt(a.Approval.ID, 10)},
	}
}

// outcome turns an error into what huma renders; nil stays nil.
func (s *server) outcome(ctx context.Context, hc huma.Context, err error) error {
	wait, ok := errors.AsType[*control.PendingError](err)
	if !ok {
		return s.problem(ctx, err)
	}
	if strings.Contains(strings.ToLower(hc.Header("Prefer")), async) {
		return &Accepted{Approval: wait.Approval}
	}
	p := s.problemOf(ctx, err)
	p.Approval = &wait.Approval
	return p
}

// waits documents that an operation may have to wait for approval.
func (s *server) waits(op *huma.Operation) {
	op.Responses[strconv.Itoa(http.StatusAccepted)] = &huma.Response{
		Description: "Others must approve first; nothing was changed yet. Without \"Prefer: " + async + "\" this is a problem with the code " + control.CodeApprovalRequired + ".",
		Content:     map[string]*huma.MediaType{"application/json": {Schema: schemaOf[Accepted](s.api, "Accepted")}},
	}
}

// approvalScope is what a request for approval is about, so that rights on one
// channel are enough. One that does not exist is the server's.
func (s *server) approvalScope(hc huma.Context) (ota.Scope, error) {
	nowhere := ota.Scope{Org: ota.MainOrg}
	id, err := strconv.ParseInt(hc.Param("approval"), 10, 64)
	if err != nil {
		return nowhere, nil
	}
	scope, err := s.deps.Control.ApprovalScope(hc.Context(), id)
	if ota.KindOf(err) == ota.KindNotFound && err != nil {
		return nowhere, nil
	}
	return scope, err
}

type approvalsInput struct {
	Request
	App     string `query:"app" doc:"only of this app"`
	Channel string `query:"channel" doc:"only of this channel"`
	State   string `query:"state" enum:"requested,executed,rejected,expired,superseded,cancelled" doc:"only in this state"`
	ForMe   bool   `query:"for_me" doc:"only open ones that the caller could approve now; a page may hold fewer than its limit"`
	PageParams
}

type approvalInput struct {
	Request
	ID int64 `path:"approval" minimum:"1" doc:"id of the request"`
}

// challenge is what a browser needs to sign with a passkey.
type challenge struct {
	Options json.RawMessage `json:"options" doc:"of navigator.credentials.get; its answer goes back as assertion"`
}

func (s *server) registerApprovals() {
	const tag, one = "approvals", "/approvals/{approval}"
	register(s, route{
		id: "list-approvals", method: http.MethodGet, path: "/approvals", action: "approval.list", tag: tag, somewhere: true,
		summary: "List requests for approval, newest first",
	},
		func(c *call, in *approvalsInput, _ none) (list[ota.Approval], error) {
			f := ota.ApprovalFilter{App: in.App, Channel: in.Channel, State: ota.ApprovalState(in.State), Within: c.reach}
			if in.ForMe {
				if f.Voter = c.principal.Person; f.Voter == 0 {
					return listOf([]ota.Approval{}, "", nil) // no person is behind the caller
				}
			}
			return listOf(s.deps.Control.Approvals(c, f, in.page()))
		})
	register(s, route{
		id: "get-approval", method: http.MethodGet, path: one, action: "approval.get", tag: tag, scope: s.approvalScope,
		summary: "Get a request with the exact document that is approved, and what changes",
	},
		func(c *call, in *approvalInput, _ none) (ota.ApprovalDetail, error) {
			return s.deps.Control.Approval(c, c.principal, in.ID)
		})
	register(s, route{
		id: "challenge-approval", method: http.MethodPost, path: one + "/challenge", action: "approval.approve", tag: tag, scope: s.approvalScope,
		summary: "Begin to sign the digest of a request with a passkey",
	},
		func(c *call, in *approvalInput, _ none) (challenge, error) {
			options, err := s.deps.Control.ApprovalChallenge(c, c.principal, in.ID)
			return challenge{Options: options}, err
		})
	register(s, route{
		id: "approve", method: http.MethodPost, path: one + "/approve", action: "approval.approve", tag: tag, scope: s.approvalScope,
		summary: "Approve exactly what the digest names; the last approval that is needed carries it out",
	},
		func(c *call, in *approvalInput, body ota.ApprovalVoteRequest) (ota.Approval, error) {
			return s.deps.Control.Approve(c, c.principal, in.ID, body)
		})
	register(s, route{
		id: "reject-approval", method: http.MethodPost, path: one + "/reject", action: "approval.reject", tag: tag, scope: s.approvalScope,
		summary: "Reject a request; one rejection ends it",
	},
		func(c *call, in *approvalInput, body ota.ApprovalReason) (ota.Approval, error) {
			return s.deps.Control.RejectApproval(c, c.principal, in.ID, body)
		})
	register(s, route{
		id: "cancel-approval", method: http.MethodPost, path: one + "/cancel", action: "approval.cancel", tag: tag, scope: s.approvalScope,
		summary: "Take an own request back",
	},
		func(c *call, in *approvalInput, _ none) (ota.Approval, error) {
			return s.deps.Control.CancelApproval(c, c.principal, in.ID)
		})
	register(s, route{
		id: "break-glass", method: http.MethodPost, path: one + "/break-glass", action: "approval.breakglass", tag: tag, scope: s.approvalScope,
		summary: "Do it now without the approvals; the record and the channel say so loudly",
	},
		func(c *call, in *approvalInput, body ota.ApprovalReason) (ota.Approval, error) {
			return s.deps.Control.BreakGlass(c, c.principal, in.ID, body)
		})
}
