package ota

// WebhookFormat says how a subscription hears of events.
type WebhookFormat string

// The formats.
const (
	WebhookStandard WebhookFormat = "standard" // a signed JSON request, as Standard Webhooks has it
	WebhookSlack    WebhookFormat = "slack"    // a JSON request that Slack, Mattermost and others show as a message
	WebhookMail     WebhookFormat = "mail"     // a mail
)

// WebhookSigning says how requests of the standard format are signed.
type WebhookSigning string

// The ways to sign.
const (
	SignHMAC    WebhookSigning = "hmac"    // with a secret that the receiver shares
	SignEd25519 WebhookSigning = "ed25519" // with a private key; receivers need the public half only
)

// Webhook is a subscription to events: of an organisation, or of one of its
// apps. Its secret is never part of it.
type Webhook struct {
	ID   int64  `json:"id"`
	Org  string `json:"org"`
	App  string `json:"app,omitempty"` // "" = every app, and what concerns none
	Name string `json:"name"`

	Format  WebhookFormat  `json:"format"`
	URL     string         `json:"url,omitempty"` // as it may be shown: a Slack address is a secret, so its path is left out
	To      []string       `json:"to,omitempty"`  // mail addresses, for the format mail
	Events  []string       `json:"events"`        // types such as "release.published" or "rollout.*"; empty = all
	Signing WebhookSigning `json:"signing,omitempty"`
	// PublicKey is the receivers' half with SignEd25519, in the form whpk_...
	PublicKey string `json:"public_key,omitempty"`

	Enabled        bool   `json:"enabled"`
	FailingSince   int64  `json:"failing_since"` // of the first failure after the last success; 0 = well
	DisabledReason string `json:"disabled_reason,omitempty"`
	OldSecretUntil int64  `json:"old_secret_until"` // a rotated secret still signs until then; 0 = there is none

	CreatedAt int64 `json:"created_at"`
	CreatedBy Actor `json:"created_by"`
}

// NewWebhook asks for a subscription.
type NewWebhook struct {
	Org     string         `json:"org,omitempty"` // "" = MainOrg, or the app's
	App     string         `json:"app,omitempty"`
	Name    string         `json:"name"`
	Format  WebhookFormat  `json:"format,omitempty"` // "" = standard
	URL     string         `json:"url,omitempty"`
	To      []string       `json:"to,omitempty"`
	Events  []string       `json:"events,omitempty"`
	Signing WebhookSigning `json:"signing,omitempty"` // "" = hmac
}

// WebhookPatch changes a subscription.
type WebhookPatch struct {
	Name    *string   `json:"name,omitempty"`
	URL     *string   `json:"url,omitempty"`
	To      *[]string `json:"to,omitempty"`
	Events  *[]string `json:"events,omitempty"`
	Enabled *bool     `json:"enabled,omitempty"`
}

// DeliveryState says how far a delivery is.
type DeliveryState string

// The states of a delivery.
const (
	DeliveryPending   DeliveryState = "pending"
	DeliveryDelivered DeliveryState = "delivered"
	DeliveryFailed    DeliveryState = "failed" // given up; can be replayed
)

// Delivery is one event on its way to one subscription.
type Delivery struct {
	ID        int64         `json:"id"`
	Webhook   int64         `json:"webhook"`
	MessageID string        `json:"message_id"` // the same for every attempt and replay
	Type      string        `json:"type"`
	State     DeliveryState `json:"state"`
	Kind      string        `json:"kind"`     // event, replay or test
	Attempts  int           `json:"attempts"` // made so far
	NextAt    int64         `json:"next_at"`  // of the next attempt, while pending
	CreatedAt int64         `json:"created_at"`
	DoneAt    int64         `json:"done_at"` // 0 = pending

	Last *Attempt `json:"last,omitempty"` // the latest attempt
}

// Attempt is one try to deliver.
type Attempt struct {
	N        int    `json:"n"` // from 1
	At       int64  `json:"at"`
	Status   int    `json:"status"`   // of the answer; 0 = there was none
	Duration int64  `json:"duration"` // ms
	Error    string `json:"error,omitempty"`
	Response string `json:"response,omitempty"` // how the answer begins, at most 1 KiB
}
