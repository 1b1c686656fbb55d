package enrol_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/hex"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/access"
	"github.com/waxwing-ota/waxwing/internal/core/canon"
	"github.com/waxwing-ota/waxwing/internal/core/cobblestone"
	"github.com/waxwing-ota/waxwing/internal/core/epochkey"
	"github.com/waxwing-ota/waxwing/internal/core/grant"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
	"github.com/waxwing-ota/waxwing/internal/driver/custody"
	"github.com/waxwing-ota/waxwing/internal/driver/sqlstore"
	"github.com/waxwing-ota/waxwing/internal/plane/control"
	"github.com/waxwing-ota/waxwing/internal/plane/enrol"
)

const (
	app    = "com.example.shop"
	device = "0a000000-0000-4000-8000-000000000001"
)

var from = netip.MustParseAddr("198.51.100.9")

type env struct {
	*testing.T
	*enrol.Service
	key      cobblestone.Key
	manifest ota.Digest
	recorded []enrol.Report
	sign     p256.Signer
	agree    grant.PrivateKey
	nowAt    time.Time
}

func newEnv(t *testing.T) *env {
	t.Helper()
	db, err := sqlstore.Open(t.Context(), filepath.Join(t.TempDir(), "waxwing.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	e := &env{T: t, manifest: ota.Sum([]byte("manifest")), nowAt: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)}
	e.do(db.Update(t.Context(), "test", 1, func(tx control.Tx) (ota.Change, error) {
		return ota.Change{Action: "app.create", App: app}, tx.InsertApp(t.Context(), ota.App{ID: app, Org: ota.MainOrg})
	}))
	keeper, err := custody.Server([32]byte{1})
	e.do(err)
	point, err := keeper.Public(t.Context())
	e.do(err)
	e.key, err = cobblestone.NewKey(rand.Reader)
	e.do(err)
	wrapped, err := epochkey.Seal(point, app, 1, e.key)
	e.do(err)
	authority := e.signer()
	release := func(_ context.Context, _ string, m ota.Digest) (enrol.Release, error) {
		if m != e.manifest {
			return enrol.Release{}, ota.NotFound("none", "none")
		}
		return enrol.Release{Version: "1.0.0", Seq: 1, Epoch: 1}, nil
	}
	e.Service = enrol.New(enrol.Deps{
		Store:       sqlstore.Enrol{DB: db},
		Authority:   func(context.Context, string) (p256.Signer, error) { return authority, nil },
		Authorities: func(context.Context, string) ([]p256.Key, error) { return []p256.Key{authority.Public()}, nil },
		Release:     release, Published: release, Custody: keeper,
		SealedKey: func(context.Context, string, int64, string) ([]byte, string, error) { return wrapped, "", nil },
		Record: func(_ context.Context, _ string, r enrol.Report) error {
			e.recorded = append(e.recorded, r)
			return nil
		},
		Now: func() time.Time { return e.nowAt }, Rand: rand.Reader,
	})
	e.sign = e.signer()
	e.agree, err = grant.GenerateKey(rand.Reader)
	e.do(err)
	return e
}

func (e *env) do(err error) {
	e.Helper()
	if err != nil {
		e.Fatal(err)
	}
}

func (e *env) signer() p256.Signer {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	e.do(err)
	return p256.Software(k)
}

func (e *env) request() []byte {
	n, err := e.NewNonce(app, from)
	e.do(err)
	nonce, err := hex.DecodeString(n.Nonce)
	e.do(err)
	req := sealed.EnrolRequest{
		V: 1, App: app, Device: device, Nonce: nonce, Platform: "android", SignKey: e.sign.Public(), AgreeKey: e.agree.Public().Bytes(), Assurance: sealed.AssuranceStrongBox,
	}
	e.do(sealed.SignBody(e.Context(), &req, e.sign))
	b, err := sealed.Encode(&req)
	e.do(err)
	return b
}

func (e *env) ask(cert []byte) ([]byte, error) {
	req := sealed.GrantRequest{V: 1, App: app, Manifest: e.manifest.String(), Certificate: cert, Nonce: make([]byte, 16), At: canon.At(e.nowAt)}
	e.do(sealed.SignBody(e.Context(), &req, e.sign))
	b, err := sealed.Encode(&req)
	e.do(err)
	return e.Grant(e.Context(), app, b, from)
}

func (e *env) refused(code string, err error) {
	e.Helper()
	if ota.CodeOf(err) != code {
		e.Errorf("%v (%s), want %s", err, ota.CodeOf(err), code)
	}
}

func TestEnrolGrantOpenRevoke(t *testing.T) {
	e := newEnv(t)
	_, err := e.Enrol(t.Context(), app, e.request(), from)
	e.refused(enrol.CodeClosed, err) // as it comes
	open := ota.EnrolOpen
	_, err = e.SetPolicy(t.Context(), "token:ada", app, ota.SealedPolicyPatch{Enrolment: &open})
	e.do(err)
	body := e.request()
	cert, err := e.Enrol(t.Context(), app, body, from)
	e.do(err)
	_, err = e.Enrol(t.Context(), app, body, from)
	e.refused(enrol.CodeNonce, err) // a nonce counts once
	raw, err := e.ask(cert)
	e.do(err)
	g, err := sealed.Parse[sealed.Grant](raw)
	e.do(err)
	thumb, err := ota.ParseDigest(e.sign.Public().ID())
	e.do(err)
	info := grant.Info{App: app, Manifest: e.manifest, Epoch: 1, Thumbprint: thumb, NotAfter: g.NotAfter.Time}
	if got, err := grant.Open(e.agree, info, g.Enc, g.CT); err != nil || !got.Equal(e.key) {
		t.Fatalf("the grant does not open: %v", err)
	}
	// Its own word raised nothing: strongbox was claimed, nobody vouches.
	tee := ota.AssuranceTEE
	_, err = e.SetPolicy(t.Context(), "token:ada", app, ota.SealedPolicyPatch{MinAssurance: &tee})
	e.do(err)
	_, err = e.ask(cert)
	e.refused(access.CodeAssurance, err)
	none := ota.AssuranceNone
	_, err = e.SetPolicy(t.Context(), "token:ada", app, ota.SealedPolicyPatch{MinAssurance: &none})
	e.do(err)
	renewed, err := e.Enrol(t.Context(), app, e.request(), from)
	e.do(err)
	_, err = e.ask(cert)
	e.refused(access.CodeRevoked, err) // superseded
	_, err = e.ask(renewed)
	e.do(err)
	r, err := e.Revoke(t.Context(), "token:ada", app, ota.NewSealedRevocation{Device: strings.ToUpper(device), Reason: "lost"})
	e.do(err)
	_, err = e.ask(renewed)
	e.refused(access.CodeRevoked, err)
	_, err = e.Enrol(t.Context(), app, e.request(), from)
	e.refused(enrol.CodeRevoked, err)
	e.do(e.Lift(t.Context(), "token:ada", app, r.ID))
	_, err = e.ask(renewed)
	e.do(err)
	e.nowAt = e.nowAt.Add(31 * 24 * time.Hour)
	_, err = e.ask(renewed)
	e.refused(access.CodeExpired, err)
	e.do(e.Flush(t.Context()))
	uses, _, err := e.Uses(t.Context(), app, 0, ota.Page{})
	if err != nil || len(uses) == 0 {
		t.Errorf("%v, %v", uses, err)
	}
}

// TestReportsCountOnce: replays, reordering and repeats change nothing.
func TestReportsCountOnce(t *testing.T) {
	e := newEnv(t)
	open := ota.EnrolOpen
	_, err := e.SetPolicy(t.Context(), "token:ada", app, ota.SealedPolicyPatch{Enrolment: &open})
	e.do(err)
	_, err = e.Enrol(t.Context(), app, e.request(), from)
	e.do(err)
	make1 := func(n int64, event string, by p256.Signer) []byte {
		b, err := sealed.Make(t.Context(), &sealed.Report{
			App: app, Device: device, Thumbprint: e.sign.Public().ID(), N: n, At: canon.At(e.nowAt), Manifest: e.manifest.String(), Seq: 1, Event: event,
		}, by)
		e.do(err)
		return b
	}
	installed, failed := make1(1, sealed.EventInstalled, e.sign), make1(3, sealed.EventFailed, e.sign)
	for _, b := range [][]byte{installed, installed, failed, make1(2, sealed.EventHealthy, e.sign), failed, make1(4, sealed.EventFailed, e.sign), installed} {
		e.do(e.Report(t.Context(), app, b, from))
	}
	if len(e.recorded) != 2 || e.recorded[0].Event != sealed.EventInstalled || e.recorded[1].Event != sealed.EventFailed {
		t.Errorf("%+v", e.recorded)
	}
	e.refused(enrol.CodeReport, e.Report(t.Context(), app, make1(9, sealed.EventFailed, e.signer()), from))
}
