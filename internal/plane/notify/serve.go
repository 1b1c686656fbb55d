package notify

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/webhook"
)

// maxJobs is how many deliveries are looked up at a time.
const maxJobs = 100

// statusGone is what a receiver answers that wants no more.
const statusGone = 410

// serve attempts what is due for a subscription. again says that there may be
// more.
func (s *Service) serve(ctx context.Context, id int64) (again bool, err error) {
	w, err := s.Store.Webhook(ctx, id)
	if err != nil || !w.Enabled {
		if ota.KindOf(err) == ota.KindNotFound {
			err = nil // deleted a moment ago
		}
		return false, err
	}
	jobs, err := s.Store.Next(ctx, id, s.nowMS(), hold, maxJobs)
	if err != nil || len(jobs) == 0 {
		return false, err
	}
	if w.Format == ota.WebhookMail {
		return s.serveMail(ctx, &w, jobs)
	}
	for i := range jobs {
		if i > 0 { // somebody may have changed or deleted it meanwhile
			if w, err = s.Store.Webhook(ctx, id); err != nil || !w.Enabled {
				return false, nil
			}
		}
		well, err := s.post(ctx, &w, &jobs[i])
		if err != nil || ctx.Err() != nil {
			return false, err
		}
		if !well {
			// What comes next depends on it: it may be held back now.
			return true, nil
		}
	}
	return true, nil
}

// post attempts one delivery by a request.
func (s *Service) post(ctx context.Context, w *Stored, j *Job) (well bool, err error) {
	begin := s.Now()
	answer, sendErr := s.send(ctx, w, j, begin)
	if sendErr != nil && ctx.Err() != nil {
		return false, nil // stopping: that was no attempt
	}
	ctx = context.WithoutCancel(ctx) // what came back is noted, stopping or not
	well = sendErr == nil && answer.Status >= 200 && answer.Status < 300
	a := ota.Attempt{
		N: j.Attempts + 1, At: begin.UnixMilli(), Status: answer.Status, Duration: s.Now().Sub(begin).Milliseconds(), Response: clip(answer.Body),
	}
	switch {
	case sendErr != nil:
		a.Error = public(sendErr)
	case !well:
		a.Error = "the receiver answered " + strconv.Itoa(answer.Status)
	}
	r := Result{Delivery: j.ID, Attempt: a, State: ota.DeliveryDelivered}
	if !well {
		r.State, r.NextAt = s.after(j.Kind, a.N, answer.RetryAfter)
		if answer.Status == statusGone {
			r.State, r.NextAt = ota.DeliveryFailed, 0
		}
	}
	if err := s.Store.Finish(ctx, w.ID, a.At, well, []Result{r}); err != nil {
		return well, err
	}
	if well {
		w.FailingSince = 0
		return true, nil
	}
	return false, s.failed(ctx, w, a.At, answer.Status == statusGone)
}

func (s *Service) send(ctx context.Context, w *Stored, j *Job, at time.Time) (Answer, error) {
	address, err := s.open(w.Org, "address", w.Address)
	if err != nil {
		return Answer{}, err
	}
	r := Request{URL: address, Body: j.Body, Header: map[string]string{}}
	if w.Format == ota.WebhookSlack {
		e, err := decodeEvent(j.Body)
		if err != nil {
			return Answer{}, err
		}
		if r.Body, err = e.Slack(); err != nil {
			return Answer{}, fmt.Errorf("render an event: %w", err)
		}
		return s.Sender.Send(ctx, r)
	}
	keys, err := s.keys(w, at)
	if err != nil {
		return Answer{}, err
	}
	r.Header[webhook.HeaderID] = j.MessageID
	r.Header[webhook.HeaderTimestamp] = strconv.FormatInt(at.Unix(), 10)
	r.Header[webhook.HeaderSignature] = webhook.Sign(j.MessageID, at, j.Body, keys...)
	return s.Sender.Send(ctx, r)
}

// keys returns what signs now: the secret and, for a while, the one before.
func (s *Service) keys(w *Stored, at time.Time) ([]webhook.Key, error) {
	var keys []webhook.Key
	for _, k := range []struct {
		what   string
		sealed []byte
		use    bool
	}{{"secret", w.Secret, true}, {"old secret", w.OldSecret, at.UnixMilli() < w.OldSecretUntil}} {
		text, err := s.open(w.Org, k.what, k.sealed)
		if err != nil {
			return nil, err
		}
		if text == "" || !k.use {
			continue
		}
		key, err := webhook.ParseKey(text)
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// failed switches a subscription off that has failed for too long, or whose
// receiver is gone, and tells its administrators.
func (s *Service) failed(ctx context.Context, w *Stored, at int64, gone bool) error {
	if w.FailingSince == 0 {
		w.FailingSince = at
	}
	reason := ""
	switch {
	case gone:
		reason = "the receiver answered 410 Gone"
	case at-w.FailingSince >= giveUp.Milliseconds():
		reason = "every delivery failed for three days"
	default:
		return nil
	}
	err := s.Store.Update(ctx, actor, s.nowMS(), func(tx Tx) (ota.Change, error) {
		now, err := tx.Webhook(ctx, w.ID)
		if err != nil || !now.Enabled {
			return ota.Change{}, err
		}
		now.Enabled, now.DisabledReason = false, reason
		*w = now
		return record(webhook.ActionDisabled, &now.Webhook, map[string]any{"id": w.ID, "reason": reason}), tx.UpdateWebhook(ctx, now)
	})
	if err != nil || w.Enabled {
		return err
	}
	s.Log.Warn("webhook switched off", "webhook", w.ID, "org", w.Org, "reason", reason)
	return s.tellAdministrators(ctx, w, reason)
}

// tellAdministrators mails those who can mend a subscription. That it cannot be
// sent is no reason to fail.
func (s *Service) tellAdministrators(ctx context.Context, w *Stored, reason string) error {
	if s.Mailer == nil {
		return nil
	}
	to, err := s.Store.Administrators(ctx, w.Org)
	if err != nil || len(to) == 0 {
		return err
	}
	e := webhook.New(webhook.TypeDisabled, s.nowMS(), ota.Scope{Org: w.Org, App: w.App}, actor)
	e.Data["webhook"], e.Data["reason"] = w.Name, reason
	m := single(e, s.URL)
	m.To = to[:min(len(to), maxReceivers)]
	s.report(ctx, "tell administrators", s.Mailer.Mail(ctx, m))
	return nil
}

// public is what the log of deliveries may say of an error.
func public(err error) string {
	if e, ok := errors.AsType[*ota.Error](err); ok && e.Kind != ota.KindInternal {
		return clip(e.Msg)
	}
	return "internal error"
}

// maxClip bounds a text of the log of deliveries, in bytes.
const maxClip = 1 << 10

func clip(s string) string {
	if len(s) <= maxClip {
		return s
	}
	s = s[:maxClip]
	for len(s) > 0 && s[len(s)-1] >= 0x80 { // not within a character
		s = s[:len(s)-1]
	}
	return s
}
