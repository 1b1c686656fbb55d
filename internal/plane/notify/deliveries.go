package notify

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/webhook"
)

// The kinds of delivery.
const (
	kindEvent  = "event"
	kindReplay = "replay"
	kindTest   = "test"
)

// maxReplay is how many events one replay of a time range may bring.
const maxReplay = 1000

// Deliveries lists the deliveries of a subscription, newest first, in one state
// or ("") in every one.
func (s *Service) Deliveries(ctx context.Context, id int64, state ota.DeliveryState, p ota.Page) ([]ota.Delivery, string, error) {
	switch state {
	case "", ota.DeliveryPending, ota.DeliveryDelivered, ota.DeliveryFailed:
	default:
		return nil, "", ota.Invalid("state_invalid", "there is no state %q", state).WithField("state").WithHint("use pending, delivered or failed")
	}
	if _, err := s.Store.Webhook(ctx, id); err != nil {
		return nil, "", err
	}
	return s.Store.Deliveries(ctx, id, state, p)
}

// Delivery returns a delivery with the event and all attempts.
func (s *Service) Delivery(ctx context.Context, id, delivery int64) (ota.Delivery, json.RawMessage, []ota.Attempt, error) {
	j, err := s.Store.Delivery(ctx, id, delivery)
	if err != nil {
		return j.Delivery, nil, nil, err
	}
	attempts, err := s.Store.Attempts(ctx, delivery)
	if len(attempts) > 0 {
		j.Last = &attempts[len(attempts)-1]
	}
	return j.Delivery, j.Body, attempts, err
}

// Test sends an event that nothing happened for, once, whatever the
// subscription listens to.
func (s *Service) Test(ctx context.Context, actor ota.Actor, id int64) (ota.Delivery, error) {
	return s.queueOne(ctx, actor, id, "webhook.test", func(_ Tx, w *Stored) (Job, error) {
		now := s.nowMS()
		e := webhook.New(webhook.TypeTest, now, ota.Scope{Org: w.Org, App: w.App}, actor)
		e.Data["webhook"] = w.Name
		e.ID = s.messageID(id, -now)
		body, err := json.Marshal(e)
		return Job{Delivery: ota.Delivery{MessageID: e.ID, Type: e.Type, Kind: kindTest}, Body: body}, err
	})
}

// Replay sends the event of a delivery again, as the message it was.
func (s *Service) Replay(ctx context.Context, actor ota.Actor, id, delivery int64) (ota.Delivery, error) {
	return s.queueOne(ctx, actor, id, "webhook.replay", func(tx Tx, _ *Stored) (Job, error) {
		old, err := tx.Delivery(ctx, id, delivery)
		return Job{Delivery: ota.Delivery{MessageID: old.MessageID, Type: old.Type, Kind: kindReplay}, Body: old.Body}, err
	})
}

func (s *Service) queueOne(ctx context.Context, actor ota.Actor, id int64, action string, make func(Tx, *Stored) (Job, error)) (ota.Delivery, error) {
	var j Job
	err := s.Store.Update(ctx, actor, s.nowMS(), func(tx Tx) (ota.Change, error) {
		w, err := enabled(ctx, tx, id)
		if err != nil {
			return ota.Change{}, err
		}
		if j, err = make(tx, &w); err != nil {
			return ota.Change{}, err
		}
		if j, err = tx.InsertDelivery(ctx, s.queued(j, id), 0); err != nil {
			return ota.Change{}, err
		}
		return record(action, &w.Webhook, map[string]any{"id": id, "delivery": j.ID}), nil
	})
	s.kick()
	return j.Delivery, err
}

func enabled(ctx context.Context, tx Tx, id int64) (Stored, error) {
	w, err := tx.Webhook(ctx, id)
	if err == nil && !w.Enabled {
		err = ota.Conflict(CodeWebhookDisabled, "webhook %q is switched off", w.Name).WithHint("switch it on first")
	}
	return w, err
}

func (s *Service) queued(j Job, id int64) Job {
	j.Webhook, j.State, j.CreatedAt, j.NextAt = id, ota.DeliveryPending, s.nowMS(), s.nowMS()
	return j
}

// ReplayRange sends what the subscription wants of the events from a time until
// before another (Unix ms) again, those that it missed while it was switched off
// too. It returns how many there are.
func (s *Service) ReplayRange(ctx context.Context, actor ota.Actor, id, from, to int64) (int, error) {
	if from <= 0 || to <= from {
		return 0, ota.Invalid(CodeReplayInvalid, "a replay needs a time to start at and a later one to end before").WithField("from")
	}
	n := 0
	err := s.Store.Update(ctx, actor, s.nowMS(), func(tx Tx) (ota.Change, error) {
		w, err := enabled(ctx, tx, id)
		if err != nil {
			return ota.Change{}, err
		}
		// Many a change is no event, so more are read than may be sent.
		const read = 20 * maxReplay
		changes, err := tx.ChangesBetween(ctx, ota.Scope{Org: w.Org, App: w.App}, from, to, read)
		if err != nil {
			return ota.Change{}, err
		}
		n = 0
		for _, c := range changes {
			j, ok := s.pick(&w.Webhook, c)
			if !ok {
				continue
			}
			if n++; n > maxReplay || len(changes) == read {
				return ota.Change{}, ota.Invalid(CodeReplayInvalid, "there are more than %d events in this time", maxReplay).WithField("to").
					WithHint("replay a shorter time")
			}
			j.Kind = kindReplay
			if _, err := tx.InsertDelivery(ctx, s.queued(j, id), c.ID); err != nil {
				return ota.Change{}, err
			}
		}
		return record("webhook.replay", &w.Webhook, map[string]any{"id": id, "from": from, "to": to, "events": n}), nil
	})
	s.kick()
	return n, err
}

// pick makes a delivery of a change if the subscription wants to hear of it.
func (s *Service) pick(w *ota.Webhook, c ota.Change) (Job, bool) {
	if c.Org != w.Org || w.App != "" && w.App != c.App {
		return Job{}, false
	}
	e, ok := webhook.Public(c)
	if !ok || !webhook.Wanted(w.Events, e.Type) {
		return Job{}, false
	}
	e.ID = s.messageID(w.ID, c.ID)
	body, err := json.Marshal(e)
	if err != nil { // texts, numbers and booleans always encode
		s.Log.Error("an event cannot be encoded", "change", c.ID, "err", err)
		return Job{}, false
	}
	return s.queued(Job{Delivery: ota.Delivery{MessageID: e.ID, Type: e.Type, Kind: kindEvent}, Body: body}, w.ID), true
}

func decodeEvent(body []byte) (webhook.Event, error) {
	var e webhook.Event
	if err := json.Unmarshal(body, &e); err != nil {
		return e, fmt.Errorf("stored event: %w", err)
	}
	return e, nil
}
