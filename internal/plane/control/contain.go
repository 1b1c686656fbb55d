package control

import (
	"context"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Within says that an act is part of an incident: its records name it, and Also
// writes and records what the act means for it in the same transaction.
type Within struct {
	Incident int64 // 0 = of none
	Also     func(ctx context.Context, tx IncidentTx) (ota.Change, error)
}

// IncidentTx is what of a transaction an incident needs.
type IncidentTx interface {
	Incident(ctx context.Context, id int64) (ota.Incident, error)
	UpdateIncident(ctx context.Context, i ota.Incident) error
	// OnVersion counts the devices that run a version, as they last said, and
	// those of them that were seen at since or later.
	OnVersion(ctx context.Context, app, version string, since int64) (all, active int64, err error)
}

// Contain does all of a containment or nothing. It needs no approval: who keeps
// harm from spreading does not wait for anybody. What is so already is left
// alone.
func (s *Service) Contain(ctx context.Context, p ota.Principal, app string, in ota.Containment, w Within) error {
	var err error
	if in.Reason, err = reasonOf(in.Reason); err != nil {
		return err
	}
	return s.update(ctx, p.Actor(), app, func(tx Tx) (ota.Change, error) {
		a, err := tx.App(ctx, app)
		if err != nil {
			return ota.Change{}, err
		}
		c := containing{Service: s, tx: tx, p: p, app: app, org: a.Org, in: in, incident: w.Incident}
		if err := c.all(ctx); err != nil {
			return ota.Change{}, err
		}
		return c.record(ctx, w)
	})
}

// reasonOf checks a reason that must be given.
func reasonOf(reason string) (string, error) {
	reason, err := cleanText("reason", reason, maxNote)
	if err == nil && reason == "" {
		err = ota.Invalid(CodeReasonMissing, "say why, for the record").WithField("reason")
	}
	return reason, err
}

// containing is a containment under way.
type containing struct {
	*Service
	tx       Tx
	p        ota.Principal
	app, org string
	in       ota.Containment
	incident int64
	changes  []ota.Change
}

func (c *containing) all(ctx context.Context) error {
	for _, name := range c.in.Freeze {
		if err := c.freeze(ctx, name); err != nil {
			return err
		}
	}
	for _, version := range c.in.Quarantine {
		if err := c.hold(ctx, version, ota.Quarantined); err != nil {
			return err
		}
	}
	for _, version := range c.in.Block {
		if err := c.hold(ctx, version, ota.Blocked); err != nil {
			return err
		}
	}
	for _, id := range c.in.RetireKeys {
		if err := c.retire(ctx, id); err != nil {
			return err
		}
	}
	for _, id := range c.in.Tokens {
		if err := c.revoke(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

// record makes one change of all that was done, led by that of the incident.
func (c *containing) record(ctx context.Context, w Within) (ota.Change, error) {
	if w.Also != nil {
		lead, err := w.Also(ctx, c.tx)
		lead.More = append(lead.More, c.changes...)
		return lead, err
	}
	if len(c.changes) == 0 {
		return ota.Change{}, nil
	}
	lead := c.changes[0]
	lead.More = c.changes[1:]
	return lead, nil
}

func (c *containing) add(action, object string, detail fields, before, after any) {
	detail["reason"] = c.in.Reason
	if c.incident != 0 {
		detail["incident"] = c.incident
	}
	ch := changed(change(action, c.app, object, detail), before, after)
	ch.Org = c.org
	c.changes = append(c.changes, ch)
}

// freeze stops everything new on a channel, and pauses its rollout.
func (c *containing) freeze(ctx context.Context, name string) error {
	ch, err := findChannel(ctx, c.tx, c.app, name)
	if err != nil || ch.Frozen != nil {
		return err
	}
	f := ota.Frozen{At: c.nowMS(), By: string(c.p.Actor()), Reason: c.in.Reason}
	detail := fields{}
	if ch.Rollout != nil && ch.Rollout.PausedAt == 0 {
		before := *ch.Rollout
		c.pause(ch.Rollout, true, c.in.Reason)
		c.soak(&before, ch.Rollout)
		detail["paused"] = ch.Rollout.Version
		if err := c.tx.UpdateChannel(ctx, ch); err != nil {
			return err
		}
	}
	c.add("channel.freeze", name, detail, nil, f)
	return c.tx.SetFrozen(ctx, ch.ID, &f)
}

// hold takes a bundle out of service. A block is not weakened to a quarantine.
func (c *containing) hold(ctx context.Context, version string, state ota.Hold) error {
	b, err := findBundle(ctx, c.tx, c.app, version)
	if err != nil || b.Held != nil && (b.Held.State == state || b.Held.State == ota.Blocked) {
		return err
	}
	channels, err := c.tx.Channels(ctx, c.app)
	if err != nil {
		return err
	}
	serving := []string{}
	for _, ch := range channels {
		if ch.Release != nil && ch.Release.BundleID == b.ID || ch.Rollout != nil && ch.Rollout.BundleID == b.ID {
			serving = append(serving, ch.Name)
		}
	}
	h := ota.Held{State: state, At: c.nowMS(), By: string(c.p.Actor()), Reason: c.in.Reason}
	action := "bundle.quarantine"
	if state == ota.Blocked {
		action = "bundle.block"
	}
	c.add(action, version, fields{"serving": serving, "hold": state}, orNil(b.Held), h)
	return c.tx.SetHeld(ctx, b.ID, &h)
}

// retire makes a signing key good for nothing new.
func (c *containing) retire(ctx context.Context, id string) error {
	keys, err := appKeys(ctx, c.tx, c.app)
	if err != nil {
		return err
	}
	have := findKey(keys, id)
	if have == nil {
		return ota.NotFound(CodeKeyNotFound, "app %q has no key %q", c.app, id).WithField("retire_keys")
	}
	if have.State == ota.KeyRetired {
		return nil
	}
	was, k := *have, *have
	k.State = ota.KeyRetired
	c.add("key.state", id, fields{"state": k.State}, was, k)
	return c.tx.SetKeyState(ctx, c.app, id, ota.KeyRetired)
}

// revoke takes an API token away. The last way in stays.
func (c *containing) revoke(ctx context.Context, id int64) error {
	t, err := c.tx.Token(ctx, id)
	if err == nil && (c.mayRevoke == nil || !c.mayRevoke(c.p, t)) {
		err = ota.NotFound(CodeTokenNotFound, "there is no token %d that you care for", id).WithField("tokens").WithHint("see: waxwing tokens list")
	}
	if err != nil {
		return err
	}
	if t.Owner.Kind == ota.TokenOfNobody {
		other, err := c.tx.OtherWayIn(ctx, id, c.nowMS())
		if err != nil {
			return err
		}
		if !other {
			return ota.Conflict(CodeLastToken, "nobody could get in without token %q", t.Name).WithField("tokens").
				WithHint("create another one, or an owner, first")
		}
	}
	c.add("token.delete", t.Name, fields{}, t, nil)
	return c.tx.DeleteToken(ctx, id)
}

// Freeze freezes a channel; its releases stay where they are.
func (s *Service) Freeze(ctx context.Context, p ota.Principal, app, channel, reason string) (ota.Channel, error) {
	if err := s.Contain(ctx, p, app, ota.Containment{Freeze: []string{channel}, Reason: reason}, Within{}); err != nil {
		return ota.Channel{}, err
	}
	return s.Channel(ctx, app, channel)
}

// Thaw opens a frozen channel again. A rollout stays paused until it is resumed.
func (s *Service) Thaw(ctx context.Context, actor ota.Actor, app, channel, reason string) (ota.Channel, error) {
	reason, err := reasonOf(reason)
	if err != nil {
		return ota.Channel{}, err
	}
	err = s.update(ctx, actor, app, func(tx Tx) (ota.Change, error) {
		ch, err := findChannel(ctx, tx, app, channel)
		if err != nil || ch.Frozen == nil {
			return ota.Change{}, err
		}
		return changed(change("channel.thaw", app, channel, fields{"reason": reason}), *ch.Frozen, nil), tx.SetFrozen(ctx, ch.ID, nil)
	})
	if err != nil {
		return ota.Channel{}, err
	}
	return s.Channel(ctx, app, channel)
}

// Hold takes a bundle out of service on every channel.
func (s *Service) Hold(ctx context.Context, p ota.Principal, app, version string, state ota.Hold, reason string) (ota.Bundle, error) {
	in := ota.Containment{Quarantine: []string{version}, Reason: reason}
	if state == ota.Blocked {
		in.Quarantine, in.Block = nil, in.Quarantine
	}
	if err := s.Contain(ctx, p, app, in, Within{}); err != nil {
		return ota.Bundle{}, err
	}
	return s.Bundle(ctx, app, version)
}

// Unhold puts a bundle into service again, where channels have it.
func (s *Service) Unhold(ctx context.Context, actor ota.Actor, app, version, reason string) (ota.Bundle, error) {
	reason, err := reasonOf(reason)
	if err != nil {
		return ota.Bundle{}, err
	}
	err = s.update(ctx, actor, app, func(tx Tx) (ota.Change, error) {
		b, err := findBundle(ctx, tx, app, version)
		if err != nil || b.Held == nil {
			return ota.Change{}, err
		}
		return changed(change("bundle.release", app, version, fields{"reason": reason, "was": b.Held.State}), *b.Held, nil), tx.SetHeld(ctx, b.ID, nil)
	})
	if err != nil {
		return ota.Bundle{}, err
	}
	return s.Bundle(ctx, app, version)
}

// open refuses what would put something new on a frozen channel.
func open(ch *ota.Channel) error {
	if ch.Frozen == nil {
		return nil
	}
	return ota.Conflict(CodeChannelFrozen, "channel %q is frozen: %s", ch.Name, ch.Frozen.Reason).WithField("channel").
		WithHint("rollback stays possible; to open it again: waxwing channels thaw %s --app %s", ch.Name, ch.App)
}

// inService refuses a bundle that people took out of service.
func inService(b *ota.Bundle) error {
	if b.Held == nil {
		return nil
	}
	return ota.Conflict(CodeBundleHeld, "version %s is %s: %s", b.Version, b.Held.State, b.Held.Reason).WithField("version").
		WithHint("publish another version, or put it into service again: waxwing bundles release %s --app %s", b.Version, b.App)
}

// outOfService names the versions of a history that are deleted or held.
func outOfService(p *PastRelease) bool { return p.Deleted || p.Held != ota.NotHeld }
