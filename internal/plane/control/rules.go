package control

import (
	"cmp"
	"context"
	"slices"
	"strconv"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/tlogproof"
)

// SealedTx is what of a transaction the log of sealed updates needs.
type SealedTx interface {
	// SealedApp reports whether the app has sealed updates.
	SealedApp(ctx context.Context, app string) (bool, error)
	// AppendSealedDocument adds a document to the log by its salted digest, unless it
	// is the same as the last of that kind about that thing.
	AppendSealedDocument(ctx context.Context, kind, app, what, name string, document []byte) (added bool, err error)
}

// ruleStore puts rules and approvals of apps with sealed updates into their log, in
// the transaction that changes them. Every way to change one goes through it, so
// that none can be forgotten: who targets a single device leaves a trace.
type ruleStore struct{ Store }

// Update implements [Store].
func (s ruleStore) Update(ctx context.Context, actor ota.Actor, at int64, fn func(Tx) (ota.Change, error)) error {
	return s.Store.Update(ctx, actor, at, func(tx Tx) (ota.Change, error) {
		t := &ruleTx{Tx: tx}
		c, err := fn(t)
		if err != nil || c.Action == "" {
			return c, err
		}
		return c, t.log(ctx, c)
	})
}

// thing is what a rule is about.
type thing struct{ app, what, name string }

// ruleTx notes what a transaction touches.
type ruleTx struct {
	Tx
	channels  []int64
	things    []thing
	approvals []int64
}

// InsertChannel implements [Tx].
func (t *ruleTx) InsertChannel(ctx context.Context, c ota.Channel) (ota.Channel, error) {
	c, err := t.Tx.InsertChannel(ctx, c)
	t.channels = append(t.channels, c.ID)
	return c, err
}

// UpdateChannel implements [Tx].
func (t *ruleTx) UpdateChannel(ctx context.Context, c ota.Channel) error {
	t.channels = append(t.channels, c.ID)
	return t.Tx.UpdateChannel(ctx, c)
}

// DeleteChannel implements [Tx].
func (t *ruleTx) DeleteChannel(ctx context.Context, id int64) ([]ota.DeviceID, error) {
	t.channels = append(t.channels, id)
	return t.Tx.DeleteChannel(ctx, id)
}

// SetFrozen implements [Tx].
func (t *ruleTx) SetFrozen(ctx context.Context, id int64, f *ota.Frozen) error {
	t.channels = append(t.channels, id)
	return t.Tx.SetFrozen(ctx, id, f)
}

// SetCohort implements [Tx].
func (t *ruleTx) SetCohort(ctx context.Context, c ota.Cohort) error {
	t.things = append(t.things, thing{c.App, "cohort", c.Name})
	return t.Tx.SetCohort(ctx, c)
}

// DeleteCohort implements [Tx].
func (t *ruleTx) DeleteCohort(ctx context.Context, app, name string) error {
	t.things = append(t.things, thing{app, "cohort", name})
	return t.Tx.DeleteCohort(ctx, app, name)
}

// SetOverride implements [Tx]. What a device chose for itself is no rule, unless
// it takes the place of one.
func (t *ruleTx) SetOverride(ctx context.Context, app string, id ota.DeviceID, o Override, at int64) error {
	if err := t.overridden(ctx, app, id, !o.SelfSet); err != nil {
		return err
	}
	return t.Tx.SetOverride(ctx, app, id, o, at)
}

// ClearOverride implements [Tx].
func (t *ruleTx) ClearOverride(ctx context.Context, app string, id ota.DeviceID) error {
	if err := t.overridden(ctx, app, id, false); err != nil {
		return err
	}
	return t.Tx.ClearOverride(ctx, app, id)
}

func (t *ruleTx) overridden(ctx context.Context, app string, id ota.DeviceID, rule bool) error {
	if !rule {
		was, err := t.Override(ctx, app, id)
		if err != nil && ota.KindOf(err) != ota.KindNotFound {
			return err
		}
		rule = err == nil && !was.SelfSet
	}
	if rule {
		t.things = append(t.things, thing{app, "device", id.String()})
	}
	return nil
}

// InsertApproval implements [Tx].
func (t *ruleTx) InsertApproval(ctx context.Context, a ota.Approval, channelID int64) (ota.Approval, error) {
	a, err := t.Tx.InsertApproval(ctx, a, channelID)
	t.approvals = append(t.approvals, a.ID)
	return a, err
}

// UpdateApproval implements [Tx].
func (t *ruleTx) UpdateApproval(ctx context.Context, a ota.Approval) error {
	t.approvals = append(t.approvals, a.ID)
	return t.Tx.UpdateApproval(ctx, a)
}

// InsertVote implements [Tx].
func (t *ruleTx) InsertVote(ctx context.Context, id int64, v ota.ApprovalVote) error {
	t.approvals = append(t.approvals, id)
	return t.Tx.InsertVote(ctx, id, v)
}

// log writes what was touched, as it is at the end of the transaction.
func (t *ruleTx) log(ctx context.Context, c ota.Change) error {
	if err := t.logChannels(ctx, c); err != nil {
		return err
	}
	for _, x := range unique(t.things, func(a, b thing) int {
		return cmp.Or(cmp.Compare(a.app, b.app), cmp.Compare(a.what, b.what), cmp.Compare(a.name, b.name))
	}) {
		if err := t.logThing(ctx, x); err != nil {
			return err
		}
	}
	for _, id := range unique(t.approvals, cmp.Compare[int64]) {
		a, err := t.Approval(ctx, id)
		if err != nil {
			return err
		}
		if sealed, err := t.SealedApp(ctx, a.App); err != nil {
			return err
		} else if !sealed {
			continue
		}
		if _, err := t.write(ctx, tlogproof.KindApproval, thing{a.App, "approval", strconv.FormatInt(a.ID, 10)}, a); err != nil {
			return err
		}
	}
	return nil
}

func unique[T comparable](list []T, order func(a, b T) int) []T {
	slices.SortFunc(list, order)
	return slices.Compact(list)
}

// logChannels writes the channels that were touched. The change says in which apps
// they are, and the name of one that is gone.
func (t *ruleTx) logChannels(ctx context.Context, c ota.Change) error {
	if len(t.channels) == 0 {
		return nil
	}
	var apps []string
	for _, one := range append([]ota.Change{c}, c.More...) {
		if one.App != "" && !slices.Contains(apps, one.App) {
			apps = append(apps, one.App)
		}
	}
	for _, app := range apps {
		if sealed, err := t.SealedApp(ctx, app); err != nil {
			return err
		} else if !sealed {
			continue
		}
		all, err := t.Channels(ctx, app)
		if err != nil {
			return err
		}
		for i := range all {
			if slices.Contains(t.channels, all[i].ID) {
				if _, err := t.logChannel(ctx, &all[i]); err != nil {
					return err
				}
			}
		}
		if c.Action == string(ota.ActChannelDelete) {
			if _, err := t.write(ctx, tlogproof.KindRule, thing{app, "channel", c.Object}, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// channelRule is who gets what on a channel.
type channelRule struct {
	Release *ota.Release `json:"release"`
	Rollout *ota.Rollout `json:"rollout"`
	Frozen  *ota.Frozen  `json:"frozen"`
}

func (t *ruleTx) logChannel(ctx context.Context, ch *ota.Channel) (added bool, err error) {
	x := thing{ch.App, "channel", ch.Name}
	added, err = t.write(ctx, tlogproof.KindRule, x, channelRule{ch.Release, ch.Rollout, ch.Frozen})
	if err != nil {
		return added, err
	}
	more, err := t.write(ctx, tlogproof.KindPolicy, x, ruled(ch.Policy))
	return added || more, err
}

// logThing writes a cohort, or the binding of a device.
func (t *ruleTx) logThing(ctx context.Context, x thing) error {
	if sealed, err := t.SealedApp(ctx, x.app); err != nil || !sealed {
		return err
	}
	if x.what == "cohort" {
		c, err := t.Cohort(ctx, x.app, x.name)
		if err != nil && ota.KindOf(err) != ota.KindNotFound {
			return err
		}
		var now any
		if err == nil {
			now = c
		}
		_, err = t.write(ctx, tlogproof.KindRule, x, now)
		return err
	}
	id, ok := ota.ParseDeviceID(x.name)
	if !ok {
		return ota.Errorf(ota.KindInternal, "internal", "%q is no device", x.name)
	}
	o, err := t.Override(ctx, x.app, id)
	if err != nil && ota.KindOf(err) != ota.KindNotFound {
		return err
	}
	var now any
	if err == nil && !o.SelfSet {
		all, err := t.Channels(ctx, x.app)
		if err != nil {
			return err
		}
		for i := range all {
			if all[i].ID == o.ChannelID {
				now = fields{"channel": all[i].Name}
			}
		}
	}
	_, err = t.write(ctx, tlogproof.KindRule, x, now)
	return err
}

// ruleDocument is what is logged; its bytes are what the salted digest is of.
type ruleDocument struct {
	Type  string `json:"_type"`
	App   string `json:"app"`
	What  string `json:"what"`
	Name  string `json:"name"`
	State any    `json:"state"` // null = it is gone
}

func (t *ruleTx) write(ctx context.Context, kind tlogproof.Kind, x thing, state any) (bool, error) {
	text := ota.JSON(ruleDocument{string(kind), x.app, x.what, x.name, state})
	return t.AppendSealedDocument(ctx, string(kind), x.app, x.what, x.name, []byte(text))
}

// rulesActor is who notes rules that were there before the app's updates were sealed.
const rulesActor ota.Actor = "system/sealed-log"

// LogRules puts the channels and cohorts of an app into the log of sealed updates
// as they are now, unless they are in it: for apps whose updates were sealed later.
func (s *Service) LogRules(ctx context.Context, app string) error {
	return s.store.Update(ctx, rulesActor, s.nowMS(), func(tx Tx) (ota.Change, error) {
		t := &ruleTx{Tx: tx}
		all, err := tx.Channels(ctx, app)
		if err != nil {
			return ota.Change{}, err
		}
		n := 0
		for i := range all {
			added, err := t.logChannel(ctx, &all[i])
			if err != nil {
				return ota.Change{}, err
			}
			if added {
				n++
			}
		}
		cohorts, err := tx.CohortNames(ctx, app)
		if err != nil {
			return ota.Change{}, err
		}
		for _, c := range cohorts {
			if err := t.logThing(ctx, thing{app, "cohort", c.Name}); err != nil {
				return ota.Change{}, err
			}
		}
		if n == 0 {
			return ota.Change{}, nil
		}
		return change("sealed.rules", app, app, fields{"channels": n, "cohorts": len(cohorts)}), nil
	})
}
