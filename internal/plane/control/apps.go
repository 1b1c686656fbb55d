package control

import (
	"context"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/waxwing-ota/waxwing/internal/core/approve"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// FirstChannel is the public channel that every app starts with.
const FirstChannel = "production"

// CreateApp creates an app with a public channel FirstChannel.
func (s *Service) CreateApp(ctx context.Context, actor ota.Actor, in ota.NewApp) (ota.App, error) {
	if err := ota.CheckAppID(in.ID); err != nil {
		return ota.App{}, err
	}
	name, err := cleanText("name", in.Name, 100)
	if err != nil {
		return ota.App{}, err
	}
	if name == "" {
		name = in.ID
	}
	org := in.Org
	if org == "" {
		org = ota.MainOrg
	}
	a := ota.App{ID: in.ID, Org: org, Name: name, AllowCustomID: true, CreatedAt: s.nowMS()}
	err = s.update(ctx, actor, a.ID, func(tx Tx) (ota.Change, error) {
		if _, err := tx.App(ctx, a.ID); err == nil {
			return ota.Change{}, ota.Conflict(CodeAppExists, "there is an app %q already", a.ID).WithField("id")
		} else if ota.KindOf(err) != ota.KindNotFound {
			return ota.Change{}, err
		}
		if _, err := tx.Org(ctx, org); err != nil {
			return ota.Change{}, err
		}
		if err := tx.InsertApp(ctx, a); err != nil {
			return ota.Change{}, err
		}
		policy := ota.DefaultPolicy()
		policy.Public = true
		_, err := tx.InsertChannel(ctx, ota.Channel{App: a.ID, Name: FirstChannel, Policy: policy, CreatedAt: a.CreatedAt})
		return change("app.create", a.ID, a.ID, fields{"name": a.Name, "channel": FirstChannel}), err
	})
	return a, err
}

// App returns an app.
func (s *Service) App(ctx context.Context, id string) (ota.App, error) { return s.store.App(ctx, id) }

// Apps lists the apps, newest first.
func (s *Service) Apps(ctx context.Context, p ota.Page) ([]ota.App, string, error) {
	return s.store.Apps(ctx, p)
}

// UpdateApp changes an app's settings.
func (s *Service) UpdateApp(ctx context.Context, actor ota.Actor, id string, in ota.AppPatch) (ota.App, error) {
	var a ota.App
	err := s.update(ctx, actor, id, func(tx Tx) (ota.Change, error) {
		var err error
		if a, err = tx.App(ctx, id); err != nil {
			return ota.Change{}, err
		}
		before := a
		if in.Name != nil {
			if a.Name, err = cleanText("name", *in.Name, 100); err != nil {
				return ota.Change{}, err
			}
		}
		set(&a.ExposeMetadata, in.ExposeMetadata)
		set(&a.AllowCustomID, in.AllowCustomID)
		set(&a.AllowPlain, in.AllowPlain)
		if a == before {
			return ota.Change{}, nil
		}
		return changed(change("app.update", id, id, in), before, a), tx.UpdateApp(ctx, a)
	})
	return a, err
}

// DeleteApp removes an app with all that belongs to it. Its blobs go with the
// next garbage collection. An app with protected channels waits for approval.
func (s *Service) DeleteApp(ctx context.Context, p ota.Principal, id string) error {
	return s.guarded(ctx, p, s.deleteAppAct(id))
}

func (s *Service) deleteAppAct(id string) *act {
	a := &act{kind: ota.ActAppDelete, app: id, object: id, request: struct{}{}}
	a.plan = func(ctx context.Context, tx Tx) (*plan, error) {
		app, err := tx.App(ctx, id)
		if err != nil {
			return nil, err
		}
		pl := &plan{change: &approve.Change{Before: app}}
		pl.run = func(ctx context.Context, tx Tx, _ ota.Actor) (ota.Change, error) {
			return changed(change("app.delete", id, id, nil), app, nil), tx.DeleteApp(ctx, id)
		}
		// What its devices reported may take a while, and what is left after this
		// goes with the garbage.
		pl.after = func() { _, _ = purge(context.WithoutCancel(ctx), s.store.PurgeEvents, 0, 20) }
		pl.protects, err = protected(ctx, tx, id)
		return pl, err
	}
	return a
}

// set changes a setting unless the new value is nil.
func set[T any](field *T, value *T) {
	if value != nil {
		*field = *value
	}
}

// cleanText trims a text for people and refuses control characters and more
// than max bytes.
func cleanText(field, s string, max int) (string, error) {
	s = strings.TrimSpace(s)
	if len(s) > max {
		return "", ota.Invalid(CodeTextTooLong, "%s has %d bytes, at most %d are kept", field, len(s), max).WithField(field)
	}
	for _, r := range s {
		if unicode.IsControl(r) && r != '\n' && r != '\t' || r == utf8.RuneError {
			return "", ota.Invalid(CodeNameInvalid, "%s has the character %U, which is no text", field, r).WithField(field)
		}
	}
	return s, nil
}
