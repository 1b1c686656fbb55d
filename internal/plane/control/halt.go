package control

import (
	"context"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// HaltReason says which version is to be taken back, and why.
type HaltReason struct {
	Version string // of the channel's release or rollout
	Text    string // for people, such as "7 of 12 devices failed"

	// Guard is the decision of the guard that it follows from; nil = another rule
	// or a person wants it.
	Guard *ota.GuardDecision
}

// Halt takes a bad version back. A version that the channel does not serve any
// more is left alone: somebody was faster.
//
// pause stops the rollout of the version; a full release cannot be paused, so
// that is only recorded. rollback ends the rollout of the version, or rolls the
// channel back if it is the current release; a rollout of another version goes
// on. notify only records. All of them are stamped in the channel's AutoHalt.
// Taking back needs no approval: the guard does not wait for anybody.
func (s *Service) Halt(ctx context.Context, actor ota.Actor, app, channel string, why HaltReason, action ota.HaltAction) error {
	if !validAction(action) {
		return ota.Invalid(CodeHaltInvalid, "there is no action %q", action).WithField("action")
	}
	return s.update(ctx, actor, app, func(tx Tx) (ota.Change, error) {
		ch, err := findChannel(ctx, tx, app, channel)
		if err != nil {
			return ota.Change{}, err
		}
		rolling := ch.Rollout != nil && ch.Rollout.Version == why.Version
		released := ch.Release != nil && ch.Release.Version == why.Version && ch.Release.BundleID != 0
		if !rolling && !released {
			return ota.Change{}, nil
		}
		type serving struct {
			Release *ota.Release `json:"release"`
			Rollout *ota.Rollout `json:"rollout"`
		}
		before := ota.JSON(serving{ch.Release, ch.Rollout})
		ch.Policy.AutoHalt.LastTriggeredAt = s.nowMS()
		detail := fields{"version": why.Version, "reason": why.Text, "action": action, "did": "recorded"}
		switch {
		case action == ota.HaltPause && rolling:
			s.pause(ch.Rollout, true, why.Text)
			detail["did"] = "paused the rollout"
		case action == ota.HaltRollback && rolling:
			ch.Rollout = nil
			detail["did"] = "ended the rollout"
		case action == ota.HaltRollback:
			r, err := s.rollback(ctx, tx, actor, &ch, "", why.Text)
			if err != nil {
				return ota.Change{}, err
			}
			if ch.Rollout != nil && ch.Rollout.Version == r.Version {
				ch.Rollout = nil
			}
			detail["did"], detail["to"] = "rolled back", r.Version
		}
		if why.Guard != nil { // the record of the decision tells others of it, once
			detail["guard"] = true
		}
		c := change("channel.halt", app, channel, detail)
		c.Before, c.After = before, ota.JSON(serving{ch.Release, ch.Rollout})
		if why.Guard != nil {
			c.More = append(c.More, change("guard.halt", app, channel, fields{
				"version": why.Version, "decision": why.Guard, "reason": why.Text, "action": action, "did": detail["did"], "to": detail["to"],
			}))
		}
		return c, tx.UpdateChannel(ctx, ch)
	})
}
