package client

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// CodeApprovalRequired is the code of a [PendingError].
const CodeApprovalRequired = "approval_required"

// PendingError says that nothing was changed yet: others must approve first.
type PendingError struct {
	Approval ota.Approval
	Err      *ota.Error
}

func (e *PendingError) Error() string { return e.Err.Error() }

// Unwrap gives the error for callers that do not wait.
func (e *PendingError) Unwrap() error { return e.Err }

// Pending is the error for a request that waits for approval.
func Pending(a ota.Approval) *PendingError {
	return &PendingError{a, ota.Conflict(CodeApprovalRequired, "this waits for the approval of %d more, as request %d", max(0, a.Need-a.Have), a.ID).
		WithHint("somebody else approves it at %s, or with: waxwing approvals approve %d", a.Link, a.ID)}
}

// accepted turns the answer to a call that waits for approval into an error.
func accepted(ctx context.Context, k call, res *http.Response) error {
	var v struct {
		Approval ota.Approval `json:"approval"`
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, maxAnswer)).Decode(&v); err != nil {
		return unreadable(ctx, k, err)
	}
	if strings.HasPrefix(v.Approval.Link, "/") {
		u := *res.Request.URL
		base, _, _ := strings.Cut(u.String(), "/api/v1")
		v.Approval.Link = base + v.Approval.Link
	}
	return Pending(v.Approval)
}

// Approvals lists requests for approval, newest first.
func (c *Client) Approvals(ctx context.Context, f ota.ApprovalFilter, page ota.Page) ([]ota.Approval, string, error) {
	q := url.Values{}
	for name, v := range map[string]string{"app": f.App, "channel": f.Channel, "state": string(f.State)} {
		if v != "" {
			q.Set(name, v)
		}
	}
	return getList[ota.Approval](ctx, c, page, q, "approvals")
}

// ApprovalsForMe lists open requests that the caller could approve now.
func (c *Client) ApprovalsForMe(ctx context.Context, page ota.Page) ([]ota.Approval, string, error) {
	return getList[ota.Approval](ctx, c, page, url.Values{"for_me": {"true"}}, "approvals")
}

// Approval returns a request with the document that is approved, and what changes.
func (c *Client) Approval(ctx context.Context, id int64) (ota.ApprovalDetail, error) {
	return get[ota.ApprovalDetail](ctx, c, "approvals", strconv.FormatInt(id, 10))
}

// Approve approves exactly what the digest names.
func (c *Client) Approve(ctx context.Context, id int64, in ota.ApprovalVoteRequest) (ota.Approval, error) {
	return c.onApproval(ctx, id, "approve", in)
}

// ApprovalChallenge begins to sign the digest of a request with a passkey of the
// caller. It returns what navigator.credentials.get takes.
func (c *Client) ApprovalChallenge(ctx context.Context, id int64) (json.RawMessage, error) {
	out, err := send[struct {
		Options json.RawMessage `json:"options"`
	}](ctx, c, http.MethodPost, nil, "approvals", strconv.FormatInt(id, 10), "challenge")
	return out.Options, err
}

// RejectApproval ends a request.
func (c *Client) RejectApproval(ctx context.Context, id int64, in ota.ApprovalReason) (ota.Approval, error) {
	return c.onApproval(ctx, id, "reject", in)
}

// CancelApproval takes an own request back.
func (c *Client) CancelApproval(ctx context.Context, id int64) (ota.Approval, error) {
	return c.onApproval(ctx, id, "cancel", nil)
}

// BreakGlass carries a request out without the approvals.
func (c *Client) BreakGlass(ctx context.Context, id int64, in ota.ApprovalReason) (ota.Approval, error) {
	return c.onApproval(ctx, id, "break-glass", in)
}

func (c *Client) onApproval(ctx context.Context, id int64, do string, in any) (ota.Approval, error) {
	return send[ota.Approval](ctx, c, http.MethodPost, in, "approvals", strconv.FormatInt(id, 10), do)
}
