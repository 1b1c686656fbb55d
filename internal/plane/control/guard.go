package control

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/approve"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// act is a change that protected channels may not let one person make.
type act struct {
	kind    ota.Act
	app     string
	object  string // what it is about: a version, a channel, a key
	request any    // as it was made; with kind and app enough to make the act again
	// plan checks the request against what is there and says what it would do.
	plan func(ctx context.Context, tx Tx) (*plan, error)
}

// plan is what an act would do now.
type plan struct {
	protects []ota.Channel // whose approval it needs; none = it is free

	// What the document says besides the request.
	channel *ota.Channel
	content *approve.Content
	rollout *approve.Rollout
	change  *approve.Change
	scan    *approve.Scan

	run   func(ctx context.Context, tx Tx, actor ota.Actor) (ota.Change, error)
	after func() // once it is committed; nil = nothing
}

// required is how many people must approve.
func (p *plan) required() int {
	n := 0
	for i := range p.protects {
		n = max(n, p.protects[i].Policy.RequiredApprovals)
	}
	return n
}

// independent reports whether people related by invitation do not count.
func (p *plan) independent() bool {
	return slices.ContainsFunc(p.protects, func(c ota.Channel) bool { return c.Policy.IndependentApprovers })
}

// ttl is how long a request for it waits: as long as the most impatient channel does.
func (p *plan) ttl() time.Duration {
	m := ota.MaxApprovalTTL
	for i := range p.protects {
		m = min(m, p.protects[i].Policy.ApprovalTTL)
	}
	return time.Duration(m) * time.Minute
}

// document describes the act as it would be done now.
func (a *act) document(p *plan) approve.Document {
	d := approve.Document{
		App: a.app, Act: a.kind, Object: a.object, Request: a.request,
		Content: p.content, Rollout: p.rollout, Change: p.change, Scan: p.scan,
	}
	if c := p.channel; c != nil {
		d.Channel = &approve.Channel{ID: c.ID, Name: c.Name, Audience: approve.AudienceOf(c.Policy)}
		if c.Release != nil {
			d.Channel.CurrentRelease, d.Channel.CurrentVersion = c.Release.ID, c.Release.Version
		}
		if c.Rollout != nil {
			d.Channel.CurrentRollout = c.Rollout.ID
		}
	}
	for i := range p.protects {
		c := &p.protects[i]
		d.Protects = append(d.Protects, approve.Guarded{
			ID: c.ID, Name: c.Name, Required: c.Policy.RequiredApprovals, Independent: c.Policy.IndependentApprovers,
		})
	}
	slices.SortFunc(d.Protects, func(a, b approve.Guarded) int { return int(a.ID - b.ID) })
	return d
}

// PendingError says that nothing was changed yet: other people must approve first.
type PendingError struct {
	Approval ota.Approval
	Err      *ota.Error
}

func (e *PendingError) Error() string { return e.Err.Error() }

// Unwrap gives the error for callers that know no approvals.
func (e *PendingError) Unwrap() error { return e.Err }

func pending(a ota.Approval, scan *approve.Scan) error {
	what := "channel " + a.Channel + " is protected"
	switch {
	case scan != nil:
		what = fmt.Sprintf("the scan has %d findings that somebody must approve for channel %s", scan.Total, a.Channel)
	case a.Channel == "":
		what = "the app has protected channels"
	}
	return &PendingError{Approval: a, Err: ota.Conflict(CodeApprovalRequired,
		"%s: this waits for the approval of %d more, as request %d", what, a.Need-a.Have, a.ID).
		WithHint("somebody else approves it at %s, or with: waxwing approvals approve %d", a.Link, a.ID)}
}

// guarded carries the act out if one person may; else it asks for approval and
// fails with a *[PendingError].
func (s *Service) guarded(ctx context.Context, p ota.Principal, a *act) error {
	var wait *ota.Approval
	var after func()
	var found *approve.Scan
	err := s.update(ctx, p.Actor(), a.app, func(tx Tx) (ota.Change, error) {
		pl, err := a.plan(ctx, tx)
		if err != nil {
			return ota.Change{}, err
		}
		if len(pl.protects) == 0 {
			after = pl.after
			return pl.run(ctx, tx, p.Actor())
		}
		found = pl.scan
		req, c, err := s.request(ctx, tx, p, a, pl)
		wait = &req
		return c, err
	})
	if err != nil {
		return err
	}
	if wait != nil {
		s.linked(wait)
		return pending(*wait, found)
	}
	if after != nil {
		after()
	}
	return nil
}

// maxOpen bounds the open requests of an app: somebody may ask in a loop.
const maxOpen = 200

// request stores a request for approval, or finds the open one for the same.
func (s *Service) request(ctx context.Context, tx Tx, p ota.Principal, a *act, pl *plan) (ota.Approval, ota.Change, error) {
	raw, digest, err := a.document(pl).Seal()
	if err != nil {
		return ota.Approval{}, ota.Change{}, err
	}
	open, err := tx.OpenApprovals(ctx, a.app)
	if err != nil {
		return ota.Approval{}, ota.Change{}, err
	}
	now := s.nowMS()
	for _, o := range open {
		if o.Digest == digest && now < o.ExpiresAt {
			return o, ota.Change{}, nil
		}
	}
	if len(open) >= maxOpen {
		return ota.Approval{}, ota.Change{}, ota.Conflict(CodeApprovalsFull, "%d requests of the app wait for approval already", len(open)).
			WithHint("cancel or reject those that nobody needs: waxwing approvals list")
	}
	authors, unknown, err := s.authors(ctx, tx, p)
	if err != nil {
		return ota.Approval{}, ota.Change{}, err
	}
	circles, err := s.circles(ctx, tx, authors, pl.independent())
	if err != nil {
		return ota.Approval{}, ota.Change{}, err
	}
	app, err := tx.App(ctx, a.app)
	if err != nil {
		return ota.Approval{}, ota.Change{}, err
	}
	req := ota.Approval{
		Org: app.Org, App: a.app, Act: a.kind, Object: a.object, State: ota.ApprovalRequested, Digest: digest, Document: raw,
		Required: pl.required(), Independent: pl.independent(), Need: approve.Need(pl.required(), circles, unknown), Actor: p.Actor(), Authors: authors,
		Votes: []ota.ApprovalVote{}, CreatedAt: now, ExpiresAt: now + pl.ttl().Milliseconds(),
	}
	if len(pl.protects) == 1 {
		req.Channel = pl.protects[0].Name
	}
	var channelID int64
	if pl.content != nil {
		channelID = pl.channel.ID
		if req.Content, err = pl.content.Digest(); err != nil {
			return req, ota.Change{}, err
		}
	}
	if req, err = tx.InsertApproval(ctx, req, channelID); err != nil {
		return req, ota.Change{}, err
	}
	return req, approvalChange("approval.request", &req, nil), nil
}

// approvalChange is the record of something that happens to a request.
func approvalChange(action string, a *ota.Approval, more fields) ota.Change {
	d := fields{
		"approval": a.ID, "act": a.Act, "object": a.Object, "channel": a.Channel, "digest": a.Digest.String(),
		"requested_by": a.Actor, "need": a.Need, "have": a.Have,
	}
	maps.Copy(d, more)
	object := a.Channel
	if object == "" {
		object = a.App
	}
	return change(action, a.App, object, d)
}

// withDetail adds to the detail of a record.
func withDetail(c ota.Change, more fields) ota.Change {
	d := fields{}
	if json.Unmarshal([]byte(c.Detail), &d) != nil {
		d = fields{"detail": c.Detail}
	}
	maps.Copy(d, more)
	c.Detail = ota.JSON(d)
	return c
}
