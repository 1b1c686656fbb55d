package notify

import (
	"context"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Stored is a subscription with what must not be shown, sealed.
type Stored struct {
	ota.Webhook
	Address   []byte // sealed URL
	Secret    []byte // sealed key
	OldSecret []byte // sealed key that signs until OldSecretUntil
	Cursor    int64  // id of the last change that was read for it
}

// Job is a delivery with what is to be delivered.
type Job struct {
	ota.Delivery
	Body []byte // the event, JSON
}

// Result is what became of one attempt of a delivery.
type Result struct {
	Delivery int64
	Attempt  ota.Attempt
	State    ota.DeliveryState
	NextAt   int64 // while pending
}

// Reader is what can be read, within a transaction or outside. What is not
// there is an error of KindNotFound.
type Reader interface {
	Org(ctx context.Context, id string) (ota.Org, error)
	App(ctx context.Context, id string) (ota.App, error)

	// Webhooks lists the subscriptions of an organisation, or of one of its apps,
	// newest first.
	Webhooks(ctx context.Context, org, app string, p ota.Page) ([]ota.Webhook, string, error)
	Webhook(ctx context.Context, id int64) (Stored, error)
	Delivery(ctx context.Context, webhook, id int64) (Job, error)
	// LastChange is the id of the newest change, 0 if there is none.
	LastChange(ctx context.Context) (int64, error)
	// ChangesBetween returns up to limit changes of an organisation, or of one of
	// its apps, that were made at from or later and before to (Unix ms), in order.
	ChangesBetween(ctx context.Context, where ota.Scope, from, to int64, limit int) ([]ota.Change, error)
}

// Tx is a transaction that writes. Inserts return the row with its id.
type Tx interface {
	Reader
	InsertWebhook(ctx context.Context, w Stored) (Stored, error)
	UpdateWebhook(ctx context.Context, w Stored) error
	DeleteWebhook(ctx context.Context, id int64) error
	// InsertDelivery queues a delivery of a change (0 = of none).
	InsertDelivery(ctx context.Context, j Job, change int64) (Job, error)
	// MarkAdoption notes the highest threshold that a release reached.
	MarkAdoption(ctx context.Context, release int64, threshold int) error
}

// Store is the database.
type Store interface {
	Reader

	// Update runs fn in a transaction and commits what it wrote together with
	// the Change it returns, stamped with actor and at.
	Update(ctx context.Context, actor ota.Actor, at int64, fn func(Tx) (ota.Change, error)) error

	// Tail reads on in the record of changes for every enabled subscription and
	// queues what pick makes of a change, all in one transaction. more says that
	// there is more to read.
	Tail(ctx context.Context, now int64, limit int, pick func(w *ota.Webhook, c ota.Change) (Job, bool)) (more bool, err error)
	// Due returns the enabled subscriptions with deliveries whose time has come.
	Due(ctx context.Context, now int64) ([]int64, error)
	// Next returns up to limit deliveries to attempt now: first those of events
	// in order, which end at the first whose time has not come and that was
	// attempted less than hold times, then those that wait for nobody.
	Next(ctx context.Context, webhook, now int64, hold, limit int) ([]Job, error)
	// Finish notes attempts of a subscription's deliveries, and whether it is well.
	Finish(ctx context.Context, webhook int64, at int64, well bool, done []Result) error
	// Sent returns when mails of a subscription were sent since a time, oldest first.
	Sent(ctx context.Context, webhook, since int64) ([]int64, error)

	Deliveries(ctx context.Context, webhook int64, state ota.DeliveryState, p ota.Page) ([]ota.Delivery, string, error)
	Attempts(ctx context.Context, delivery int64) ([]ota.Attempt, error)
	// PurgeDeliveries removes up to limit deliveries made before the time.
	PurgeDeliveries(ctx context.Context, before int64, limit int) (int64, error)

	// Administrators returns the mail addresses of an organisation's owners and
	// administrators.
	Administrators(ctx context.Context, org string) ([]string, error)

	// Adoptable returns the current releases made since a time that did not reach
	// the highest threshold yet.
	Adoptable(ctx context.Context, since int64, highest int) ([]Adoptable, error)
	// Running counts the latest devices of an app seen since a time, at most limit,
	// by the channel they named and the version they run.
	Running(ctx context.Context, app string, since int64, limit int) ([]Running, error)
}

// Adoptable is a release that devices are still moving to.
type Adoptable struct {
	Org, App, Channel, Version string
	Public                     bool // devices that name no channel are on it
	Release                    int64
	Reached                    int // threshold, percent
}

// Running is how many devices of a channel run a version.
type Running struct {
	Channel, Version string
	Devices          int64
}

// Request is one to be sent.
type Request struct {
	URL    string // may hold a secret
	Header map[string]string
	Body   []byte
}

// Answer is what came back.
type Answer struct {
	Status     int
	Body       string        // its beginning
	RetryAfter time.Duration // what the receiver asks for; 0 = nothing
}

// Sender sends requests to addresses that people chose.
type Sender interface {
	// Check refuses an address that can never be sent to.
	Check(url string) error
	Send(ctx context.Context, r Request) (Answer, error)
}

// Mail is one mail, the same to each address.
type Mail struct {
	To      []string
	Subject string
	Text    string
	HTML    string
}

// Mailer sends mails.
type Mailer interface {
	Mail(ctx context.Context, m Mail) error
}
