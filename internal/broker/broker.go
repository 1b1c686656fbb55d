package broker

import (
	"context"
	"crypto/ecdh"
	"crypto/ecdsa"
	"log/slog"
	"sync"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/access"
	"github.com/waxwing-ota/waxwing/internal/core/epochkey"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
)

// Broker decides and grants. Its methods may be called by many goroutines.
type Broker struct {
	cfg    *Config
	apps   map[string]*App
	key    *ecdh.PrivateKey
	signer p256.Signer
	now    func() time.Time
	log    *slog.Logger

	mu    sync.Mutex
	lists map[string]*list
	rate  bucket
}

// New returns a broker with opened keys. Its revocation lists are read by
// [Broker.Run], or by refresh in tests.
func New(cfg *Config, key, signing *ecdsa.PrivateKey, now func() time.Time, log *slog.Logger) (*Broker, error) {
	agree, err := key.ECDH()
	if err != nil {
		return nil, configError("key", "it is no key of P-256").WithCause(err)
	}
	if key.Equal(signing) {
		return nil, configError("signing_key", "the broker signs with another key than content keys are sealed to").
			WithHint("make both with: waxwing broker keygen")
	}
	b := &Broker{cfg: cfg, apps: map[string]*App{}, key: agree, signer: p256.Software(signing), now: now, log: log, lists: map[string]*list{}}
	for i := range cfg.Apps {
		b.apps[cfg.Apps[i].App] = &cfg.Apps[i]
	}
	return b, nil
}

// Point is what publishers seal content keys to: the hpke of trust.json.
func (b *Broker) Point() []byte { return b.key.PublicKey().Bytes() }

// Signs is the key that grants are signed with: an authority of trust.json.
func (b *Broker) Signs() p256.Key { return b.signer.Public() }

// Grant answers a request.
func (b *Broker) Grant(ctx context.Context, body []byte) ([]byte, error) {
	if !b.allow() {
		return nil, ota.Errorf(ota.KindUnavailable, CodeBusy, "too many devices ask at once").WithHint("try again in a minute")
	}
	in, err := sealed.Parse[sealed.BrokerRequest](body)
	if err != nil {
		return nil, err
	}
	req, err := sealed.Parse[sealed.GrantRequest](in.Request)
	if err != nil {
		return nil, err
	}
	app := b.apps[req.App]
	if app == nil {
		return nil, ota.Errorf(ota.KindForbidden, access.CodeApp, "this broker grants no keys of the app %s", req.App)
	}
	revoked, err := b.revoked(app)
	if err != nil {
		return nil, err
	}
	rules := access.Rules{
		App: app.App, Authority: app.keys, Groups: app.Groups, MinAssurance: app.MinAssurance,
		Lifetime: time.Duration(app.GrantHours) * time.Hour, Thumbprints: app.Thumbprints, Revoked: revoked.has,
	}
	allowed, err := access.Decide(req, &rules, b.now())
	if err != nil {
		return nil, err
	}
	key, err := epochkey.Open(b.key, app.App, in.Epoch, in.Key)
	if err != nil {
		return nil, err
	}
	return access.Grant(ctx, allowed, in.Epoch, key, b.signer)
}

// The bounds of a broker: a grant costs it a signature and three agreements.
const (
	burst  = 2000
	perSec = 200
)

type bucket struct {
	left float64
	at   time.Time
}

func (b *Broker) allow() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	if b.rate.at.IsZero() {
		b.rate.left = burst
	} else if passed := now.Sub(b.rate.at).Seconds(); passed > 0 {
		b.rate.left = min(burst, b.rate.left+passed*perSec)
	}
	b.rate.at = now
	if b.rate.left < 1 {
		return false
	}
	b.rate.left--
	return true
}
