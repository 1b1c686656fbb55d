package sqlstore

import (
	"context"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// SetHeld implements [control.Tx].
func (t *txn) SetHeld(ctx context.Context, bundleID int64, h *ota.Held) error {
	if h == nil {
		h = &ota.Held{}
	}
	_, err := t.exec(ctx, `UPDATE bundles SET held = $1, held_at = $2, held_by = $3, held_reason = $4 WHERE id = $5`,
		string(h.State), h.At, h.By, h.Reason, bundleID)
	return err
}

// SetFrozen implements [control.Tx].
func (t *txn) SetFrozen(ctx context.Context, channelID int64, f *ota.Frozen) error {
	if f == nil {
		f = &ota.Frozen{}
	}
	_, err := t.exec(ctx, `UPDATE channels SET frozen_at = $1, frozen_by = $2, frozen_reason = $3 WHERE id = $4`, f.At, f.By, f.Reason, channelID)
	return err
}
