package sqlstore

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/control"
)

const approvalColumns = `id, org, app, channel, act, object, document, digest, content, required, independent, need, have, actor, authors,
	created_at, expires_at, state, closed_at, closed_by, reason, broke_glass`

func scanApproval(r scanner) (ota.Approval, error) {
	a := ota.Approval{Votes: []ota.ApprovalVote{}}
	var document, authors string
	var digest, content []byte
	err := r.Scan(&a.ID, &a.Org, &a.App, &a.Channel, &a.Act, &a.Object, &document, &digest, &content, &a.Required, &a.Independent, &a.Need, &a.Have, &a.Actor, &authors,
		&a.CreatedAt, &a.ExpiresAt, &a.State, &a.ClosedAt, &a.ClosedBy, &a.Reason, &a.BrokeGlass)
	if err != nil {
		return a, err
	}
	a.Document = json.RawMessage(document)
	copy(a.Digest[:], digest)
	copy(a.Content[:], content)
	if err := json.Unmarshal([]byte(authors), &a.Authors); err != nil {
		return a, fmt.Errorf("authors of approval %d: %w", a.ID, err)
	}
	return a, nil
}

// Approval implements [control.Reader].
func (s reads) Approval(ctx context.Context, id int64) (ota.Approval, error) {
	a, err := selectOne(ctx, s.q, ota.NotFound(control.CodeApprovalNotFound, "there is no request %d for approval", id), scanApproval,
		`SELECT `+approvalColumns+` FROM approvals WHERE id = $1`, id)
	if err != nil {
		return a, err
	}
	one := []ota.Approval{a}
	err = s.addVotes(ctx, one)
	return one[0], err
}

// Approvals implements [control.Reader].
func (s reads) Approvals(ctx context.Context, f ota.ApprovalFilter, p ota.Page) ([]ota.Approval, string, error) {
	before, err := pageBefore(p)
	if err != nil {
		return nil, "", err
	}
	limit := pageLimit(p)
	where, args := ` WHERE id < $1`, []any{before}
	for _, c := range []struct{ column, value string }{{"app", f.App}, {"channel", f.Channel}, {"state", string(f.State)}} {
		if c.value != "" {
			args = append(args, c.value)
			where += fmt.Sprintf(` AND %s = $%d`, c.column, len(args))
		}
	}
	if !f.Within.All {
		parts := []string{`1 = 0`}
		for _, s := range f.Within.Scopes {
			args = append(args, s.Org, s.App, s.Channel)
			n := len(args)
			parts = append(parts, fmt.Sprintf(`(org = $%d AND ($%d = '' OR app = $%d) AND ($%d = '' OR channel = $%d))`, n-2, n-1, n-1, n, n))
		}
		where += ` AND (` + strings.Join(parts, ` OR `) + `)`
	}
	args = append(args, limit+1)
	items, err := selectAll(ctx, s.q, scanApproval,
		`SELECT `+approvalColumns+` FROM approvals`+where+fmt.Sprintf(` ORDER BY id DESC LIMIT $%d`, len(args)), args...)
	if err != nil {
		return nil, "", err
	}
	items, next := pageNext(items, limit, func(a ota.Approval) int64 { return a.ID })
	return items, next, s.addVotes(ctx, items)
}

// OpenApprovals implements [control.Reader].
func (s reads) OpenApprovals(ctx context.Context, app string) ([]ota.Approval, error) {
	items, err := selectAll(ctx, s.q, scanApproval, `SELECT `+approvalColumns+` FROM approvals
		WHERE state = 'requested' AND (app = $1 OR $1 = '') ORDER BY id`, app)
	if err != nil {
		return nil, err
	}
	return items, s.addVotes(ctx, items)
}

// addVotes fills in the votes, in their order.
func (s reads) addVotes(ctx context.Context, items []ota.Approval) error {
	if len(items) == 0 {
		return nil
	}
	at := make(map[int64]int, len(items))
	ids := make([]any, len(items))
	for i := range items {
		at[items[i].ID], ids[i] = i, items[i].ID
	}
	type vote struct {
		id int64
		ota.ApprovalVote
	}
	votes, err := selectAll(ctx, s.q, func(r scanner) (v vote, err error) {
		return v, r.Scan(&v.id, &v.Person, &v.Actor, &v.At, &v.Asserted, &v.Related)
	}, `SELECT approval_id, person, actor, at, asserted, related FROM approval_votes
		WHERE approval_id IN (`+placeholders(1, len(ids))+`) ORDER BY at, person`, ids...)
	for _, v := range votes {
		a := &items[at[v.id]]
		a.Votes = append(a.Votes, v.ApprovalVote)
	}
	return err
}

// ApprovedContent implements [control.Reader].
func (s reads) ApprovedContent(ctx context.Context, channelID int64, content ota.Digest, required int, independent bool) (bool, error) {
	n, err := selectOne(ctx, s.q, nil, scanInt, `SELECT COUNT(*) FROM approvals
		WHERE channel_id = $1 AND content = $2 AND required >= $3 AND (independent OR NOT $4) AND state = 'executed' AND NOT broke_glass`,
		channelID, content[:], required, independent)
	return n > 0, err
}

// BindsSince implements [control.Reader].
func (s reads) BindsSince(ctx context.Context, app string, since int64) (int, error) {
	n, err := selectOne(ctx, s.q, nil, scanInt, `SELECT COUNT(*) FROM changes
		WHERE app = $1 AND action = 'device.bind' AND at >= $2 AND actor NOT LIKE 'device:%'`, app, since)
	return int(n), err
}

// UserMakers implements [control.Reader].
func (s reads) UserMakers(ctx context.Context, id int64) (control.UserMakers, error) {
	var m control.UserMakers
	u, err := s.User(ctx, id)
	if ota.KindOf(err) == ota.KindNotFound && err != nil {
		m.Held.Unknown = true // gone: nobody can say whose account it was
		return m, nil
	}
	if err != nil {
		return m, err
	}
	kind, _, _ := strings.Cut(string(u.CreatedBy), ":")
	switch {
	case u.InvitedVia == ota.DeliverMail: // only who reads the mail saw the link
	case u.InvitedBy != 0:
		m.Invited.People = append(m.Invited.People, u.InvitedBy)
	case kind == "service" || kind == "ci": // no person: what the machine holds, its makers do
		m.Held.Actors = append(m.Held.Actors, u.CreatedBy)
	default:
		m.Invited.Actors = append(m.Invited.Actors, u.CreatedBy)
	}
	resets, err := s.resetsOf(ctx, id)
	for _, by := range resets {
		if by > 0 {
			m.Held.People = append(m.Held.People, by)
		} else {
			m.Held.Unknown = true
		}
	}
	return m, err
}

// resetsOf names who made a reset link that was ever used on an account, -1 =
// somebody unknown. Who once held the account may have kept a token of it, or
// have reset its next holder, so no later reset makes up for one.
func (s reads) resetsOf(ctx context.Context, id int64) ([]int64, error) {
	return selectAll(ctx, s.q, scanInt, `SELECT reset_by FROM passkeys WHERE user_id = $1 AND reset_by <> 0
		UNION SELECT reset_by FROM passwords WHERE user_id = $1 AND reset_by <> 0
		UNION SELECT maker FROM enrol_links WHERE user_id = $1 AND kind = 'reset' AND used_at <> 0`, id)
}

// Makers implements [control.Reader].
func (s reads) Makers(ctx context.Context, a ota.Actor) (control.Makers, error) {
	var m control.Makers
	kind, name, _ := strings.Cut(string(a), ":")
	var err error
	switch kind {
	case "user": // who has the address, and who had it: an address can be given to somebody else
		m.People, err = selectAll(ctx, s.q, scanInt, `SELECT id FROM users WHERE email = $1
			UNION SELECT user_id FROM former_emails WHERE email = $1`, strings.ToLower(name))
		m.Unknown = len(m.People) == 0
	case "service":
		m.Actors, err = s.serviceMakers(ctx, name)
		m.Unknown = len(m.Actors) == 0
	case "ci":
		m.Actors, err = selectAll(ctx, s.q, scanActor, `SELECT created_by FROM trusted_publishers WHERE name = $1`, name)
		m.Unknown = len(m.Actors) == 0
	}
	return m, err
}

// serviceMakers names who made a service account and whoever was shown the
// secret of a token of it, also of tokens that are gone.
func (s reads) serviceMakers(ctx context.Context, name string) ([]ota.Actor, error) {
	type account struct {
		id int64
		by ota.Actor
	}
	accounts, err := selectAll(ctx, s.q, func(r scanner) (a account, err error) { return a, r.Scan(&a.id, &a.by) },
		`SELECT id, created_by FROM service_accounts WHERE name = $1`, name)
	if err != nil {
		return nil, err
	}
	var actors []ota.Actor
	for _, a := range accounts {
		actors = append(actors, a.by)
		shown, err := s.shownTo(ctx, func(t ota.Token) bool { return t.Owner.Kind == ota.TokenOfService && t.Owner.ID == a.id })
		if err != nil {
			return nil, err
		}
		actors = append(actors, shown...)
	}
	return actors, nil
}

// TokenMakers implements [control.Reader].
func (s reads) TokenMakers(ctx context.Context, id int64) ([]ota.Actor, error) {
	actors, err := selectAll(ctx, s.q, scanActor, `SELECT created_by FROM tokens WHERE id = $1`, id)
	if err != nil {
		return nil, err
	}
	shown, err := s.shownTo(ctx, func(t ota.Token) bool { return t.ID == id })
	return append(actors, shown...), err
}

// shownTo names, from the record of changes, who made or rotated tokens: they
// were shown a secret.
func (s reads) shownTo(ctx context.Context, which func(ota.Token) bool) ([]ota.Actor, error) {
	type row struct {
		actor ota.Actor
		after string
	}
	rows, err := selectAll(ctx, s.q, func(r scanner) (v row, err error) { return v, r.Scan(&v.actor, &v.after) },
		`SELECT actor, after FROM changes WHERE app = '' AND action IN ('token.create', 'token.rotate') ORDER BY id`)
	if err != nil {
		return nil, err
	}
	var actors []ota.Actor
	for _, r := range rows {
		var t ota.Token
		if r.after == "" || json.Unmarshal([]byte(r.after), &t) != nil {
			continue // as old as before tokens had owners
		}
		if which(t) {
			actors = append(actors, r.actor)
		}
	}
	return actors, nil
}

func scanActor(r scanner) (a ota.Actor, err error) { return a, r.Scan(&a) }

// InsertApproval implements [control.Tx].
func (t *txn) InsertApproval(ctx context.Context, a ota.Approval, channelID int64) (ota.Approval, error) {
	authors, err := json.Marshal(a.Authors)
	if err != nil {
		return a, fmt.Errorf("encode authors: %w", err)
	}
	a.ID, err = t.insert(ctx, `INSERT INTO approvals
		(org, app, channel, channel_id, act, object, document, digest, content, required, independent, need, actor, authors, created_at, expires_at, state)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) RETURNING id`,
		a.Org, a.App, a.Channel, channelID, string(a.Act), a.Object, string(a.Document), a.Digest[:], digestBytes(a.Content), a.Required, a.Independent, a.Need,
		string(a.Actor), string(authors), a.CreatedAt, a.ExpiresAt, string(a.State))
	return a, err
}

// UpdateApproval implements [control.Tx].
func (t *txn) UpdateApproval(ctx context.Context, a ota.Approval) error {
	_, err := t.exec(ctx, `UPDATE approvals SET have = $1, state = $2, closed_at = $3, closed_by = $4, reason = $5, broke_glass = $6 WHERE id = $7`,
		a.Have, string(a.State), a.ClosedAt, string(a.ClosedBy), a.Reason, a.BrokeGlass, a.ID)
	return err
}

// InsertVote implements [control.Tx].
func (t *txn) InsertVote(ctx context.Context, id int64, v ota.ApprovalVote) error {
	_, err := t.exec(ctx, `INSERT INTO approval_votes (approval_id, person, actor, at, asserted, related) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (approval_id, person) DO UPDATE SET actor = excluded.actor, at = excluded.at, asserted = excluded.asserted,
		related = excluded.related`, id, v.Person, string(v.Actor), v.At, v.Asserted, v.Related)
	return err
}

// MarkBrokenGlass implements [control.Tx].
func (t *txn) MarkBrokenGlass(ctx context.Context, channelID, at int64) error {
	_, err := t.exec(ctx, `UPDATE channels SET broke_glass_at = $1 WHERE id = $2`, at, channelID)
	return err
}
