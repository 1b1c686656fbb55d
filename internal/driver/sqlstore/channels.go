package sqlstore

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/control"
)

// A release's version is that of its bundle; without one it is the built-in.
const (
	releaseColumns = `r.id, c.name, COALESCE(r.bundle_id, 0), COALESCE(b.version, 'builtin'), r.kind, r.parent, r.note, r.created_at, r.created_by`
	channelColumns = `c.id, c.app, c.name, c.policy, c.rollout, c.created_at, c.broke_glass_at,
		c.frozen_at, c.frozen_by, c.frozen_reason,
		COALESCE(r.id, 0), COALESCE(r.bundle_id, 0), COALESCE(b.version, 'builtin'),
		COALESCE(r.kind, ''), COALESCE(r.parent, 0), COALESCE(r.note, ''), COALESCE(r.created_at, 0), COALESCE(r.created_by, '')`
	fromChannels = ` FROM channels c LEFT JOIN releases r ON r.id = c.release_id LEFT JOIN bundles b ON b.id = r.bundle_id`
	fromReleases = ` FROM releases r JOIN channels c ON c.id = r.channel_id LEFT JOIN bundles b ON b.id = r.bundle_id`
)

func scanChannel(row scanner) (ota.Channel, error) {
	var c ota.Channel
	var r ota.Release
	var frozen ota.Frozen
	var policy, rollout string
	err := row.Scan(&c.ID, &c.App, &c.Name, &policy, &rollout, &c.CreatedAt, &c.BrokeGlassAt,
		&frozen.At, &frozen.By, &frozen.Reason,
		&r.ID, &r.BundleID, &r.Version, &r.Kind, &r.Parent, &r.Note, &r.CreatedAt, &r.CreatedBy)
	if err != nil {
		return c, err
	}
	if err := json.Unmarshal([]byte(policy), &c.Policy); err != nil {
		return c, fmt.Errorf("policy of channel %d: %w", c.ID, err)
	}
	if c.Policy.ApprovalTTL == 0 { // stored before there were approvals
		c.Policy.ApprovalTTL = ota.DefaultApprovalTTL
	}
	if c.Policy.NativePackages == "" { // stored before there were native versions
		c.Policy.NativePackages, c.Policy.Provenance = ota.NativeEnforce, ota.ProvenanceOff
	}
	if c.Policy.Guard.Alpha == 0 { // stored before there was a guard
		c.Policy.Guard = ota.DefaultGuard()
	}
	if rollout != "" {
		c.Rollout = &ota.Rollout{}
		if err := json.Unmarshal([]byte(rollout), c.Rollout); err != nil {
			return c, fmt.Errorf("rollout of channel %d: %w", c.ID, err)
		}
	}
	if frozen.At != 0 {
		c.Frozen = &frozen
	}
	if r.ID != 0 {
		r.Channel = c.Name
		c.Release = &r
	}
	return c, nil
}

func scanRelease(row scanner) (r ota.Release, err error) {
	return r, row.Scan(&r.ID, &r.Channel, &r.BundleID, &r.Version, &r.Kind, &r.Parent, &r.Note, &r.CreatedAt, &r.CreatedBy)
}

// Channels implements [control.Reader].
func (s reads) Channels(ctx context.Context, app string) ([]ota.Channel, error) {
	return selectAll(ctx, s.q, scanChannel, `SELECT `+channelColumns+fromChannels+` WHERE c.app = $1 ORDER BY c.name, c.id`, app)
}

// Channel implements [control.Reader].
func (s reads) Channel(ctx context.Context, app, name string) (ota.Channel, error) {
	return selectOne(ctx, s.q, ota.NotFound(control.CodeChannelNotFound, "app %q has no channel %q", app, name), scanChannel,
		`SELECT `+channelColumns+fromChannels+` WHERE c.app = $1 AND c.name = $2`, app, name)
}

// Releases implements [control.Reader].
func (s reads) Releases(ctx context.Context, channelID int64, p ota.Page) ([]ota.Release, string, error) {
	before, err := pageBefore(p)
	if err != nil {
		return nil, "", err
	}
	limit := pageLimit(p)
	items, err := selectAll(ctx, s.q, scanRelease, `SELECT `+releaseColumns+fromReleases+`
		WHERE r.channel_id = $1 AND r.id < $2 ORDER BY r.id DESC LIMIT $3`, channelID, before, limit+1)
	if err != nil {
		return nil, "", err
	}
	items, next := pageNext(items, limit, func(r ota.Release) int64 { return r.ID })
	return items, next, nil
}

// History implements [control.Reader].
func (s reads) History(ctx context.Context, channelID int64) ([]control.PastRelease, error) {
	return selectAll(ctx, s.q, func(row scanner) (p control.PastRelease, err error) {
		r := &p.Release
		return p, row.Scan(&r.ID, &r.Channel, &r.BundleID, &r.Version, &r.Kind, &r.Parent, &r.Note, &r.CreatedAt, &r.CreatedBy, &p.Deleted, &p.Held)
	}, `SELECT `+releaseColumns+`, COALESCE(b.deleted_at, 0) <> 0, COALESCE(b.held, '')`+fromReleases+` WHERE r.channel_id = $1 ORDER BY r.id DESC`, channelID)
}

// InsertChannel implements [control.Tx].
func (t *txn) InsertChannel(ctx context.Context, c ota.Channel) (ota.Channel, error) {
	policy, rollout, err := channelJSON(&c)
	if err != nil {
		return c, err
	}
	c.ID, err = t.insert(ctx, `INSERT INTO channels (app, name, policy, rollout, created_at) VALUES ($1, $2, $3, $4, $5) RETURNING id`,
		c.App, c.Name, policy, rollout, c.CreatedAt)
	return c, err
}

// UpdateChannel implements [control.Tx].
func (t *txn) UpdateChannel(ctx context.Context, c ota.Channel) error {
	policy, rollout, err := channelJSON(&c)
	if err != nil {
		return err
	}
	var release int64
	if c.Release != nil {
		release = c.Release.ID
	}
	_, err = t.exec(ctx, `UPDATE channels SET policy = $1, rollout = $2, release_id = $3 WHERE id = $4`, policy, rollout, release, c.ID)
	return err
}

func channelJSON(c *ota.Channel) (policy, rollout string, err error) {
	b, err := json.Marshal(c.Policy)
	if err != nil {
		return "", "", fmt.Errorf("encode policy: %w", err)
	}
	if c.Rollout == nil {
		return string(b), "", nil
	}
	r, err := json.Marshal(c.Rollout)
	if err != nil {
		return "", "", fmt.Errorf("encode rollout: %w", err)
	}
	return string(b), string(r), nil
}

// DeleteChannel implements [control.Tx].
func (t *txn) DeleteChannel(ctx context.Context, id int64) ([]ota.DeviceID, error) {
	devices, err := selectAll(ctx, t.q, scanDeviceID, `SELECT device FROM device_overrides WHERE channel_id = $1`, id)
	if err != nil {
		return nil, err
	}
	for _, q := range []string{
		// Nothing of it may bear on a channel that takes the same name.
		`DELETE FROM grants WHERE channel <> '' AND (app, channel) IN (SELECT app, name FROM channels WHERE id = $1)`,
		`DELETE FROM scan_policies WHERE channel_id = $1`,
		`DELETE FROM channels WHERE id = $1`,
	} {
		if _, err := t.exec(ctx, q, id); err != nil {
			return nil, err
		}
	}
	return devices, nil
}

// InsertRelease implements [control.Tx].
func (t *txn) InsertRelease(ctx context.Context, channelID int64, r ota.Release) (ota.Release, error) {
	var bundle any // NULL is the built-in
	if r.BundleID != 0 {
		bundle = r.BundleID
	}
	var err error
	r.ID, err = t.insert(ctx, `INSERT INTO releases (channel_id, bundle_id, kind, parent, note, created_at, created_by)
		VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id`, channelID, bundle, string(r.Kind), r.Parent, r.Note, r.CreatedAt, r.CreatedBy)
	return r, err
}

func scanDeviceID(r scanner) (id ota.DeviceID, err error) {
	var b []byte
	if err := r.Scan(&b); err != nil {
		return id, err
	}
	if len(b) != len(id) {
		return id, fmt.Errorf("a device id has %d bytes, not %d", len(id), len(b))
	}
	return ota.DeviceID(b), nil
}
