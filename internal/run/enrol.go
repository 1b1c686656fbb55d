package run

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
	"github.com/waxwing-ota/waxwing/internal/driver/custody"
	"github.com/waxwing-ota/waxwing/internal/driver/hook"
	"github.com/waxwing-ota/waxwing/internal/driver/sqlstore"
	"github.com/waxwing-ota/waxwing/internal/plane/enrol"
	"github.com/waxwing-ota/waxwing/internal/plane/ingest"
	"github.com/waxwing-ota/waxwing/internal/plane/trust"
	"github.com/waxwing-ota/waxwing/internal/surface/deviceapi/capgo"
)

// wireEnrol builds the plane of enrolled devices.
func (s *Server) wireEnrol(ctx context.Context) error {
	nonces, err := s.secret(ctx, "enrol")
	if err != nil {
		return err
	}
	networks, err := s.secret(ctx, "networks")
	if err != nil {
		return err
	}
	keeper, err := s.custody(ctx)
	if err != nil {
		return err
	}
	brokers, err := hook.ParseAllowed(s.cfg.Brokers)
	if err != nil {
		return err
	}
	store := sqlstore.Enrol{DB: s.db}
	s.enrol = enrol.New(enrol.Deps{
		Store: store, Authority: s.trust.Authority, Authorities: s.trust.Authorities, Release: s.grantable, Published: s.sealedManifest,
		SealedKey: s.sealedKey, Custody: keeper, Verifier: s.idVerifier(), Ask: brokerClient{hook.New(hook.Config{Allowed: brokers})}.ask,
		Record: func(ctx context.Context, app string, r enrol.Report) error {
			return s.ingest.Record(ctx, app, []ingest.Report{signedReport(app, &r, &networks)})
		},
		PolicyChanged: func(p ota.SealedPolicy) { s.signed.set(p.App, p.SignedReports) },
		Now:           time.Now, Rand: rand.Reader, Nonces: nonces, Log: s.log,
	})
	apps, err := store.SignedReportApps(ctx)
	if err != nil {
		return err
	}
	for _, app := range apps {
		s.signed.set(app, true)
	}
	return nil
}

// custody opens what keeps the server's half of content keys.
func (s *Server) custody(ctx context.Context) (*custody.Keeper, error) {
	if s.cfg.CustodyKey != "" {
		return custody.Age(s.cfg.CustodyKey, s.cfg.CustodyPass)
	}
	own, err := s.secret(ctx, "custody")
	if err != nil {
		return nil, err
	}
	return custody.Server(own)
}

// grantable is the release of a manifest that devices may have now.
func (s *Server) grantable(_ context.Context, app string, digest ota.Digest) (enrol.Release, error) {
	m, err := s.trust.Grantable(app, digest)
	return enrol.Release{Version: m.Version, Seq: m.Seq, Epoch: m.Epoch}, err
}

// sealedManifest is the release of any manifest of an app.
func (s *Server) sealedManifest(ctx context.Context, app string, digest ota.Digest) (enrol.Release, error) {
	m, err := s.trust.Manifest(ctx, app, digest)
	return enrol.Release{Version: m.Version, Seq: m.Seq, Epoch: m.Epoch}, err
}

// sealedKey finds the content key of an epoch, as it was sealed to its keeper.
func (s *Server) sealedKey(ctx context.Context, app string, epoch int64, broker string) ([]byte, string, error) {
	keys, err := s.trust.Keys(ctx, app, epoch)
	if err != nil {
		return nil, "", err
	}
	for i := range keys {
		k := &keys[i]
		if broker == "" && k.Custody == ota.CustodyServer || broker != "" && k.Custody == ota.CustodyBroker && (broker == enrol.AnyBroker || broker == k.Recipient) {
			return k.Wrapped, k.Recipient, nil
		}
	}
	return nil, "", ota.Conflict(enrol.CodeKeyless, "the key of epoch %d was not sealed to who grants keys of this app", epoch).
		WithHint("publish the next release under a new epoch, with its key sealed to: waxwing sealed recipient --app %s", app)
}

// brokerClient asks key brokers that the operator listed.
type brokerClient struct{ client *hook.Client }

func (b brokerClient) ask(ctx context.Context, url string, body []byte) ([]byte, error) {
	unavailable := ota.Errorf(ota.KindUnavailable, enrol.CodeBroker, "the key broker cannot be asked")
	if !b.client.Lists(url) {
		return nil, unavailable.WithHint("the server's operator must list its host in WAXWING_BROKERS")
	}
	status, answer, err := b.client.Post(ctx, url, body, sealed.MaxGrant)
	switch {
	case err != nil:
		return nil, unavailable.WithCause(err)
	case status == http.StatusOK:
		return answer, nil
	case status == http.StatusForbidden, status == http.StatusUnauthorized, status == http.StatusBadRequest:
		return nil, ota.Errorf(ota.KindForbidden, enrol.CodeRefusedByBroker, "the key broker refused").WithHint("its log says why")
	}
	return nil, unavailable
}

// signedReport makes a signed report one like those of the plugins.
func signedReport(app string, r *enrol.Report, networks *[32]byte) ingest.Report {
	action := map[string]string{
		sealed.EventOffered: "sealed_offered", sealed.EventDownloaded: "download_complete", sealed.EventVerified: "sealed_verified",
		sealed.EventInstalled: "set", sealed.EventHealthy: "app_launch_ready", sealed.EventFailed: "update_fail", sealed.EventRolledBack: "sealed_rolled_back",
	}[r.Event]
	if r.Event == sealed.EventRolledBack && r.Reason != "" {
		action = "update_fail" // it was not told to leave: it had to
	}
	id, _ := ota.ParseDeviceID(r.Device) // it was checked when it enrolled
	meta := map[string]string{"signed": "true"}
	if r.Reason != "" {
		meta["reason"] = r.Reason
	}
	return ingest.Report{
		Device: ota.Device{ID: id, App: app, Platform: r.Platform, IsProd: true},
		Event: ota.Event{
			App: app, Device: id, Timestamp: r.At, Action: action, VersionName: r.Version, Platform: r.Platform, Metadata: meta,
		},
		Network: capgo.Network(networks, netip.AddrPortFrom(r.From, 0).String()), Signed: r.Mark,
	}
}

// signedOnly knows the apps of whose sealed releases only signed reports count.
type signedOnly struct {
	mu   sync.RWMutex
	apps map[string]bool
}

func (o *signedOnly) set(app string, on bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.apps == nil {
		o.apps = map[string]bool{}
	}
	o.apps[app] = on
}

func (o *signedOnly) has(app string) bool {
	o.mu.RLock()
	defer o.mu.RUnlock()
	return o.apps[app]
}

// signedOnly reports whether only signed reports count for a version.
func (s *Server) signedOnly(app, version string) bool {
	return s.signed.has(app) && s.trust.Sealed(app, version)
}

// deviceCertificates finds certificates for the director. What it found is believed
// for some seconds, so that a device that asks again and again costs the database
// one read, and one that was revoked is soon like any other.
type deviceCertificates struct {
	server *Server
	mu     sync.Mutex
	known  map[string]knownCertificate
}

type knownCertificate struct {
	found bool
	cert  trust.Certificate
	at    time.Time
}

const (
	certificateTime = 10 * time.Second
	maxCertificates = 20_000
)

// Certificate implements [trust.Certificates].
func (c *deviceCertificates) Certificate(ctx context.Context, app string, digest ota.Digest) (trust.Certificate, bool) {
	key, now := app+"\x00"+digest.String(), time.Now()
	c.mu.Lock()
	k, ok := c.known[key]
	c.mu.Unlock()
	if ok && now.Sub(k.at) < certificateTime {
		return k.cert, k.found
	}
	row, found := c.server.enrol.Certificate(ctx, app, digest)
	k = knownCertificate{found: found, at: now}
	if found {
		k.cert = trust.Certificate{Device: row.Device, Thumbprint: row.Thumbprint, Key: row.SignKey, ExpiresAt: row.ExpiresAt}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil || len(c.known) >= maxCertificates {
		c.known = map[string]knownCertificate{}
	}
	c.known[key] = k
	return k.cert, k.found
}
