package incidents

import (
	"context"

	"github.com/waxwing-ota/waxwing/internal/core/incident"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Contain does all of a containment in one act that the incident moves on with.
func (s *Service) Contain(ctx context.Context, p ota.Principal, id int64, in ota.Containment) (ota.Incident, error) {
	if in.Empty() {
		return ota.Incident{}, ota.Invalid(CodeNothingToDo, "there is nothing to do").
			WithHint("freeze a channel, quarantine or block a version, retire a key or revoke a token")
	}
	i, err := s.d.Store.Incident(ctx, id)
	if err != nil {
		return i, err
	}
	if in.Reason == "" {
		in.Reason = i.Title
	}
	err = s.d.Contain(ctx, p, i.App, in, id, func(ctx context.Context, tx Moving) (ota.Change, error) {
		return s.move(ctx, tx, &i, incident.Contain, "incident.contain", fields{
			"freeze": in.Freeze, "quarantine": in.Quarantine, "block": in.Block, "retire_keys": in.RetireKeys, "tokens": in.Tokens, "reason": in.Reason,
		})
	})
	return i, err
}

// Recover takes the incident's version off its channel, or off all.
func (s *Service) Recover(ctx context.Context, actor ota.Actor, id int64, in ota.Recovery) (ota.Incident, error) {
	i, err := s.d.Store.Incident(ctx, id)
	if err != nil {
		return i, err
	}
	if i.Version == "" {
		return i, ota.Conflict(CodeNoVersion, "the incident is about no version, so there is nothing to take back").
			WithHint("roll a channel back with: waxwing rollback; then close the incident")
	}
	if in.To == i.Version {
		return i, ota.Invalid(CodeNoVersion, "%s is the version that does harm", in.To).WithField("to")
	}
	if in.Note == "" {
		in.Note = i.Title
	}
	if err := s.d.Flush(ctx); err != nil {
		return i, err
	}
	err = s.d.Recover(ctx, actor, i, in, func(ctx context.Context, tx Moving, to string) (ota.Change, error) {
		on, active, err := tx.OnVersion(ctx, i.App, i.Version, s.nowMS()-incident.Active.Milliseconds())
		if err != nil {
			return ota.Change{}, err
		}
		c, err := s.move(ctx, tx, &i, incident.Recover, "incident.recover", fields{"version": i.Version, "to": to, "note": in.Note, "devices": on},
			func(i *ota.Incident) {
				i.RecoveredTo, i.Baseline, i.Left = to, 0, 0
				*i = incident.Progress(*i, on, active)
			})
		return c, err
	})
	return i, err
}

// Note writes down what a person saw or did.
func (s *Service) Note(ctx context.Context, actor ota.Actor, id int64, note string) (ota.Incident, error) {
	note, err := required("text", note)
	if err != nil {
		return ota.Incident{}, err
	}
	return s.act(ctx, actor, id, incident.Note, "incident.note", fields{"text": note})
}

// Resolve says by hand that a recovery is done.
func (s *Service) Resolve(ctx context.Context, actor ota.Actor, id int64, note string) (ota.Incident, error) {
	note, err := required("text", note)
	if err != nil {
		return ota.Incident{}, err
	}
	return s.act(ctx, actor, id, incident.Resolve, "incident.resolve", fields{"text": note})
}

// Close ends an incident. One that was not resolved needs to be told why.
func (s *Service) Close(ctx context.Context, actor ota.Actor, id int64, note string) (ota.Incident, error) {
	note, err := text("text", note, maxNote)
	if err != nil {
		return ota.Incident{}, err
	}
	i, err := s.d.Store.Incident(ctx, id)
	if err != nil {
		return i, err
	}
	if i.State != ota.IncidentResolved && note == "" {
		return i, ota.Invalid(CodeTextInvalid, "the incident is %s: say why it ends here", i.State).WithField("text")
	}
	return s.act(ctx, actor, id, incident.Close, "incident.close", fields{"text": note})
}

func required(field, s string) (string, error) {
	s, err := text(field, s, maxNote)
	if err == nil && s == "" {
		err = ota.Invalid(CodeTextInvalid, "write something down").WithField(field)
	}
	return s, err
}

// act moves an incident on by itself.
func (s *Service) act(ctx context.Context, actor ota.Actor, id int64, a incident.Act, action string, detail fields) (ota.Incident, error) {
	i := ota.Incident{ID: id}
	err := s.d.Store.Update(ctx, actor, s.nowMS(), func(tx Tx) (ota.Change, error) {
		return s.move(ctx, tx, &i, a, action, detail)
	})
	return i, err
}

// move moves an incident on in a transaction: as it is there, not as it was
// when somebody looked.
func (s *Service) move(ctx context.Context, tx Moving, i *ota.Incident, a incident.Act, action string, detail fields, also ...func(*ota.Incident)) (ota.Change, error) {
	now, err := tx.Incident(ctx, i.ID)
	if err != nil {
		return ota.Change{}, err
	}
	was := now.State
	if now, err = incident.Apply(now, a, s.nowMS()); err != nil {
		return ota.Change{}, err
	}
	for _, f := range also {
		f(&now)
	}
	*i = now
	detail["state"], detail["title"], detail["severity"] = now.State, now.Title, now.Severity
	if was != now.State {
		detail["was"] = was
	}
	return s.change(action, &now, detail), tx.UpdateIncident(ctx, now)
}
