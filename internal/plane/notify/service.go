package notify

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// The stable codes of errors of this package.
const (
	CodeWebhookNotFound  = "webhook_not_found"
	CodeDeliveryNotFound = "delivery_not_found"
	CodeWebhookExists    = "webhook_exists"
	CodeWebhookDisabled  = "webhook_disabled"
	CodeTooMany          = "webhooks_too_many"
	CodeWebhookInvalid   = "webhook_invalid"
	CodeAddressInvalid   = "mail_address_invalid"
	CodeMailUnavailable  = "mail_not_configured"
	CodeReplayInvalid    = "replay_invalid"
	CodeNoSecret         = "webhook_no_secret" // #nosec G101 -- the code of an error
)

// Deps is what a Service stands on. All fields but those that say so are required.
type Deps struct {
	Store  Store
	Sender Sender
	Mailer Mailer // nil = this server sends no mail
	Now    func() time.Time
	Rand   io.Reader      // cryptographic
	Jitter func() float64 // from 0 to below 1
	Key    [32]byte       // the server's own secret for what is stored here
	Log    *slog.Logger
	// Every is the time between two looks for work; 0 = a second.
	Every time.Duration
	URL   string // where people reach this server, for mails; may be empty
}

// Service keeps subscriptions and serves them. Its methods may be called by many
// goroutines.
type Service struct {
	Deps
	box cipher.AEAD
	ids []byte // key of message ids

	wake chan struct{}

	mu   sync.Mutex
	busy map[int64]bool // subscriptions that are being served
}

// New returns a Service.
func New(d Deps) (*Service, error) {
	s := &Service{Deps: d, wake: make(chan struct{}, 1), busy: map[int64]bool{}}
	if s.Every == 0 {
		s.Every = tickEvery
	}
	key, err := hkdf.Key(sha256.New, d.Key[:], nil, "waxwing webhooks: stored secrets", 32)
	if err != nil {
		return nil, fmt.Errorf("derive a key: %w", err)
	}
	if s.ids, err = hkdf.Key(sha256.New, d.Key[:], nil, "waxwing webhooks: message ids", 32); err != nil {
		return nil, fmt.Errorf("derive a key: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("make a cipher: %w", err)
	}
	if s.box, err = cipher.NewGCMWithRandomNonce(block); err != nil {
		return nil, fmt.Errorf("make a cipher: %w", err)
	}
	return s, nil
}

func (s *Service) nowMS() int64 { return s.Now().UnixMilli() }

// seal encrypts what is stored of a subscription of an organisation.
func (s *Service) seal(org, what, plain string) []byte {
	if plain == "" {
		return []byte{}
	}
	return s.box.Seal(nil, nil, []byte(plain), []byte(what+"\x00"+org))
}

func (s *Service) open(org, what string, sealed []byte) (string, error) {
	if len(sealed) == 0 {
		return "", nil
	}
	b, err := s.box.Open(nil, nil, sealed, []byte(what+"\x00"+org))
	if err != nil {
		return "", ota.Errorf(ota.KindInternal, "webhook_damaged", "the stored %s of a webhook cannot be opened", what).WithCause(err)
	}
	return string(b), nil
}

// messageID names the event of a change for a subscription: the same however
// often it is queued, and telling nothing of either.
func (s *Service) messageID(webhook, change int64) string {
	h := hmac.New(sha256.New, s.ids)
	h.Write([]byte(strconv.FormatInt(webhook, 10) + "/" + strconv.FormatInt(change, 10)))
	return "msg_" + hex.EncodeToString(h.Sum(nil)[:16])
}

// kick has Run look for work now rather than at its next tick.
func (s *Service) kick() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// record builds the record of a change of a subscription. Neither its address
// nor its secret is in it.
func record(action string, w *ota.Webhook, detail map[string]any) ota.Change {
	b, err := json.Marshal(detail)
	if err != nil || detail == nil {
		b = []byte("{}")
	}
	return ota.Change{Action: action, Org: w.Org, App: w.App, Object: w.Name, Detail: string(b)}
}

// described is the object of a record: what may be shown of a subscription.
func described(w *ota.Webhook) string {
	b, err := json.Marshal(w)
	if err != nil {
		return ""
	}
	return string(b)
}
