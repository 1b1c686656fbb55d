package notify

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/webhook"
	"github.com/waxwing-ota/waxwing/internal/secret"
)

// How long a rotated secret may still sign.
const (
	DefaultOverlap = 24 * time.Hour
	MaxOverlap     = 7 * 24 * time.Hour
)

// Where returns what a subscription that somebody asks for would belong to.
func (s *Service) Where(ctx context.Context, in ota.NewWebhook) (ota.Scope, error) {
	where := ota.Scope{Org: in.Org, App: in.App}
	if in.App != "" {
		a, err := s.Store.App(ctx, in.App)
		if err != nil {
			return where, err
		}
		if in.Org != "" && in.Org != a.Org {
			return where, ota.Invalid(CodeWebhookInvalid, "app %q does not belong to organisation %q", in.App, in.Org).WithField("org")
		}
		where.Org = a.Org
	}
	if where.Org == "" {
		where.Org = ota.MainOrg
	}
	_, err := s.Store.Org(ctx, where.Org)
	return where, err
}

// Create makes a subscription to what happens from now on, and returns its
// secret, which is not shown again: a shared secret, or the public key that
// receivers verify with. Slack and mail have none.
func (s *Service) Create(ctx context.Context, actor ota.Actor, in ota.NewWebhook) (secret.Text, ota.Webhook, error) {
	where, err := s.Where(ctx, in)
	if err != nil {
		return secret.Text{}, ota.Webhook{}, err
	}
	in.Org = where.Org
	w, err := s.checked(in)
	if err != nil {
		return secret.Text{}, w, err
	}
	w.CreatedAt, w.CreatedBy = s.nowMS(), actor
	st := Stored{Webhook: w, Address: s.seal(w.Org, "address", in.URL), OldSecret: []byte{}}
	key, err := s.newKey(&st)
	if err != nil {
		return secret.Text{}, w, err
	}
	err = s.Store.Update(ctx, actor, w.CreatedAt, func(tx Tx) (ota.Change, error) {
		if err := free(ctx, tx, w.Org, w.Name); err != nil {
			return ota.Change{}, err
		}
		if st.Cursor, err = tx.LastChange(ctx); err != nil {
			return ota.Change{}, err
		}
		if st, err = tx.InsertWebhook(ctx, st); err != nil {
			return ota.Change{}, err
		}
		c := record("webhook.create", &st.Webhook, map[string]any{"id": st.ID, "format": st.Format})
		c.After = described(&st.Webhook)
		return c, nil
	})
	if err != nil {
		return secret.Text{}, w, err
	}
	return key, st.Webhook, nil
}

// free refuses a name that is taken, and more subscriptions than can be served.
func free(ctx context.Context, tx Tx, org, name string) error {
	have, _, err := tx.Webhooks(ctx, org, "", ota.Page{Limit: maxWebhooks})
	if err != nil {
		return err
	}
	for i := range have {
		if have[i].Name == name {
			return ota.Conflict(CodeWebhookExists, "there is a webhook %q already", name).WithField("name").
				WithHint("choose another name, or delete that one first")
		}
	}
	if len(have) >= maxWebhooks {
		return ota.Conflict(CodeTooMany, "there are %d webhooks, which is the most", len(have)).WithHint("delete one first")
	}
	return nil
}

// newKey gives a subscription of the standard format a new key, and returns what
// its receiver needs.
func (s *Service) newKey(st *Stored) (secret.Text, error) {
	st.Secret = []byte{}
	if st.Format != ota.WebhookStandard {
		return secret.Text{}, nil
	}
	var random [webhook.SecretLen]byte
	if _, err := io.ReadFull(s.Rand, random[:]); err != nil {
		return secret.Text{}, fmt.Errorf("make a secret: %w", err)
	}
	k := webhook.NewKey(st.Signing, random)
	st.PublicKey, st.Secret = k.Public(), s.seal(st.Org, "secret", k.Encoded())
	if st.PublicKey != "" {
		return secret.New(st.PublicKey), nil
	}
	return secret.New(k.Encoded()), nil
}

// List lists the subscriptions of an organisation, or of one of its apps.
func (s *Service) List(ctx context.Context, where ota.Scope, p ota.Page) ([]ota.Webhook, string, error) {
	return s.Store.Webhooks(ctx, where.Org, where.App, p)
}

// Get returns a subscription.
func (s *Service) Get(ctx context.Context, id int64) (ota.Webhook, error) {
	w, err := s.Store.Webhook(ctx, id)
	return w.Webhook, err
}

// Set changes a subscription. One that is enabled again hears of what happens
// from then on; what waited for it before is delivered too.
func (s *Service) Set(ctx context.Context, actor ota.Actor, id int64, in ota.WebhookPatch) (ota.Webhook, error) {
	var w Stored
	err := s.Store.Update(ctx, actor, s.nowMS(), func(tx Tx) (ota.Change, error) {
		var err error
		if w, err = tx.Webhook(ctx, id); err != nil {
			return ota.Change{}, err
		}
		before := described(&w.Webhook)
		if err := s.patch(ctx, tx, &w, in); err != nil {
			return ota.Change{}, err
		}
		c := record("webhook.update", &w.Webhook, map[string]any{"id": id, "url": in.URL != nil})
		c.Before, c.After = before, described(&w.Webhook)
		return c, tx.UpdateWebhook(ctx, w)
	})
	s.kick()
	return w.Webhook, err
}

func (s *Service) patch(ctx context.Context, tx Tx, w *Stored, in ota.WebhookPatch) error {
	if in.Name != nil && *in.Name != w.Name {
		if ota.CheckChannelName(*in.Name) != nil {
			return ota.Invalid("name_invalid", "webhook name %q cannot be used", *in.Name).WithField("name")
		}
		if err := free(ctx, tx, w.Org, *in.Name); err != nil && ota.CodeOf(err) != CodeTooMany {
			return err
		}
		w.Name = *in.Name
	}
	if in.URL != nil || in.To != nil {
		address, to := "", w.To
		if in.URL != nil {
			address = *in.URL
		}
		if in.To != nil {
			to = *in.To
		}
		if err := s.checkReceiver(&w.Webhook, address, to); err != nil {
			return err
		}
		w.Address = s.seal(w.Org, "address", address)
	}
	if in.Events != nil {
		if err := webhook.CheckFilter(*in.Events); err != nil {
			return err
		}
		w.Events = *in.Events
	}
	if in.Enabled == nil || *in.Enabled == w.Enabled {
		return nil
	}
	w.Enabled, w.FailingSince, w.DisabledReason = *in.Enabled, 0, ""
	if w.Enabled {
		last, err := tx.LastChange(ctx)
		if err != nil {
			return err
		}
		w.Cursor = last
	}
	return nil
}

// Delete removes a subscription with its deliveries.
func (s *Service) Delete(ctx context.Context, actor ota.Actor, id int64) error {
	return s.Store.Update(ctx, actor, s.nowMS(), func(tx Tx) (ota.Change, error) {
		w, err := tx.Webhook(ctx, id)
		if err != nil {
			return ota.Change{}, err
		}
		c := record("webhook.delete", &w.Webhook, map[string]any{"id": id})
		c.Before = described(&w.Webhook)
		return c, tx.DeleteWebhook(ctx, id)
	})
}

// Rotate gives a subscription a new secret. For the time of overlap requests
// carry the signatures of both, so that its receiver can change over.
func (s *Service) Rotate(ctx context.Context, actor ota.Actor, id int64, overlap time.Duration) (secret.Text, ota.Webhook, error) {
	var w Stored
	var key secret.Text
	if overlap < 0 || overlap > MaxOverlap {
		return key, w.Webhook, ota.Invalid(CodeWebhookInvalid, "the overlap must be 0 to %d hours", int(MaxOverlap.Hours())).WithField("overlap_seconds")
	}
	err := s.Store.Update(ctx, actor, s.nowMS(), func(tx Tx) (ota.Change, error) {
		var err error
		if w, err = tx.Webhook(ctx, id); err != nil {
			return ota.Change{}, err
		}
		if w.Format != ota.WebhookStandard {
			return ota.Change{}, ota.Conflict(CodeNoSecret, "a webhook of the format %s has no secret", w.Format)
		}
		old, err := s.open(w.Org, "secret", w.Secret)
		if err != nil {
			return ota.Change{}, err
		}
		w.OldSecret, w.OldSecretUntil = []byte{}, 0
		if overlap > 0 {
			w.OldSecret, w.OldSecretUntil = s.seal(w.Org, "old secret", old), s.Now().Add(overlap).UnixMilli()
		}
		if key, err = s.newKey(&w); err != nil {
			return ota.Change{}, err
		}
		return record("webhook.rotate", &w.Webhook, map[string]any{"id": id, "until": w.OldSecretUntil}), tx.UpdateWebhook(ctx, w)
	})
	return key, w.Webhook, err
}
