package incidents

import (
	"context"
	"encoding/json"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/waxwing-ota/waxwing/internal/core/incident"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// The stable codes of errors of this package.
const (
	CodeNotFound        = "incident_not_found"
	CodeTitleMissing    = "incident_title_missing"
	CodeSeverityInvalid = "incident_severity_invalid"
	CodeSubjectInvalid  = "incident_subject_invalid"
	CodeTextInvalid     = "incident_text_invalid"
	CodeNoVersion       = "incident_without_version"
	CodeNothingToDo     = "incident_nothing_to_contain"
	CodeStateInvalid    = "incident_state_invalid"
)

// Deps is what a Service stands on. All fields are required.
type Deps struct {
	Store Store
	Now   func() time.Time
	// Flush makes what devices reported so far visible.
	Flush func(ctx context.Context) error
	// Contain and Recover are the acts of the control plane; also runs in their
	// transaction and returns the record that leads theirs.
	Contain func(ctx context.Context, p ota.Principal, app string, in ota.Containment, incident int64,
		also func(ctx context.Context, tx Moving) (ota.Change, error)) error
	Recover func(ctx context.Context, actor ota.Actor, i ota.Incident, in ota.Recovery,
		also func(ctx context.Context, tx Moving, to string) (ota.Change, error)) error
}

// Service leads through incidents. Its methods may be called by many goroutines.
type Service struct{ d Deps }

// New returns a Service.
func New(d Deps) *Service { return &Service{d: d} }

func (s *Service) nowMS() int64 { return s.d.Now().UnixMilli() }

// The bounds of texts, in bytes.
const (
	maxTitle = 200
	maxNote  = 4000
)

// Declare opens an incident. What it is about is a channel, a version or both, as
// named or else as its subject says (see resolve);
// without a version it is the one that the channel rolls out, or else serves.
func (s *Service) Declare(ctx context.Context, p ota.Principal, in ota.NewIncident) (ota.Incident, error) {
	i := ota.Incident{
		App: in.App, Channel: in.Channel, Version: in.Version, Severity: in.Severity, State: ota.IncidentOpen,
		OpenedBy: string(p.Actor()), OpenedAt: s.nowMS(),
	}
	if err := describe(&i, in); err != nil {
		return i, err
	}
	err := s.d.Store.Update(ctx, p.Actor(), i.OpenedAt, func(tx Tx) (ota.Change, error) {
		app, err := tx.App(ctx, in.App)
		if err != nil {
			return ota.Change{}, err
		}
		i.Org = app.Org
		if err := resolve(ctx, tx, &i); err != nil {
			return ota.Change{}, err
		}
		if err := locate(ctx, tx, &i); err != nil {
			return ota.Change{}, err
		}
		if i, err = tx.InsertIncident(ctx, i); err != nil {
			return ota.Change{}, err
		}
		return s.change("incident.open", &i, fields{
			"title": i.Title, "severity": i.Severity, "version": i.Version, "channel": i.Channel, "subject": i.Subject, "commander": i.Commander,
		}), nil
	})
	return i, err
}

// describe checks what a person says of an incident.
func describe(i *ota.Incident, in ota.NewIncident) error {
	var err error
	if i.Title, err = text("title", in.Title, maxTitle); err != nil {
		return err
	}
	if i.Title == "" {
		return ota.Invalid(CodeTitleMissing, "say in a few words what is wrong").WithField("title")
	}
	if i.Commander, err = text("commander", in.Commander, maxTitle); err != nil {
		return err
	}
	if i.Commander == "" {
		i.Commander = i.OpenedBy
	}
	switch i.Severity {
	case "":
		i.Severity = ota.IncidentMajor
	case ota.IncidentCritical, ota.IncidentMajor, ota.IncidentMinor:
	default:
		return ota.Invalid(CodeSeverityInvalid, "severity %q is none of critical, major, minor", in.Severity).WithField("severity")
	}
	i.Subject = in.Subject
	if i.Subject == "" {
		return nil
	}
	kind, ref, ok := strings.Cut(in.Subject, ":")
	switch kind {
	case "release", "bundle", "device", "error", "alert":
	default:
		ok = false
	}
	if _, err := text("subject", ref, maxTitle); err != nil || !ok || ref == "" {
		return ota.Invalid(CodeSubjectInvalid, "subject %q is not KIND:WHAT", in.Subject).WithField("subject").
			WithHint("KIND is release, bundle, device, error or alert; such as release:production or alert:12")
	}
	return nil
}

// locate finds the version that does harm and when devices first could get it.
func locate(ctx context.Context, tx Tx, i *ota.Incident) error {
	if i.Channel != "" {
		ch, err := tx.Channel(ctx, i.App, i.Channel)
		if err != nil {
			return err
		}
		switch {
		case ch.Rollout != nil && (i.Version == "" || i.Version == ch.Rollout.Version):
			i.Version, i.ReleasedAt = ch.Rollout.Version, ch.Rollout.StartedAt
		case ch.Release != nil && ch.Release.BundleID != 0 && (i.Version == "" || i.Version == ch.Release.Version):
			i.Version, i.ReleasedAt = ch.Release.Version, ch.Release.CreatedAt
		}
	}
	if i.Version != "" {
		b, err := tx.Bundle(ctx, i.App, i.Version)
		if err != nil {
			return err
		}
		if i.ReleasedAt == 0 {
			i.ReleasedAt = b.CreatedAt
		}
	}
	if i.Subject == "" {
		switch {
		case i.Channel != "":
			i.Subject = "release:" + i.Channel
		case i.Version != "":
			i.Subject = "bundle:" + i.Version
		}
	}
	return nil
}

// Incident returns an incident as it is stored.
func (s *Service) Incident(ctx context.Context, id int64) (ota.Incident, error) {
	return s.d.Store.Incident(ctx, id)
}

// Incidents lists incidents, newest first.
func (s *Service) Incidents(ctx context.Context, f ota.IncidentFilter, p ota.Page) ([]ota.Incident, string, error) {
	switch f.State {
	case "", ota.IncidentOpen, ota.IncidentContained, ota.IncidentRecovering, ota.IncidentResolved, ota.IncidentClosed:
	default:
		return nil, "", ota.Invalid(CodeStateInvalid, "state %q is none of open, contained, recovering, resolved, closed", f.State).WithField("state")
	}
	return s.d.Store.Incidents(ctx, f, p)
}

// Detail returns an incident with what is known of it now.
func (s *Service) Detail(ctx context.Context, id int64) (ota.IncidentDetail, error) {
	var out ota.IncidentDetail
	if err := s.d.Flush(ctx); err != nil {
		return out, err
	}
	i, err := s.d.Store.Incident(ctx, id)
	if err != nil {
		return out, err
	}
	if out.Blast, err = s.blast(ctx, &i); err != nil {
		return out, err
	}
	if i.State == ota.IncidentRecovering {
		i = incident.Progress(i, out.Blast.OnNow, out.Blast.ActiveNow)
	}
	out.Incident, out.Figures, out.Next = i, incident.Figures(&i), incident.Acts(i.State)
	out.Samples, err = s.d.Store.IncidentSamples(ctx, id)
	return out, err
}

// fields is the detail of a change.
type fields map[string]any

// change makes the record of something that happens to an incident.
func (s *Service) change(action string, i *ota.Incident, detail fields) ota.Change {
	detail["incident"] = i.ID
	b, err := json.Marshal(detail)
	if err != nil {
		b = []byte("{}")
	}
	return ota.Change{Action: action, Org: i.Org, App: i.App, Object: i.Title, Detail: string(b)}
}

// text checks what a person wrote.
func text(field, s string, most int) (string, error) {
	s = strings.TrimSpace(s)
	if len(s) > most {
		return "", ota.Invalid(CodeTextInvalid, "%s has %d bytes, at most %d are kept", field, len(s), most).WithField(field)
	}
	for _, r := range s {
		if unicode.IsControl(r) && r != '\n' && r != '\t' || r == utf8.RuneError {
			return "", ota.Invalid(CodeTextInvalid, "%s has the character %U, which is no text", field, r).WithField(field)
		}
	}
	return s, nil
}
