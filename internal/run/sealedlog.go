package run

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
	"github.com/waxwing-ota/waxwing/internal/core/tilelog"
	"github.com/waxwing-ota/waxwing/internal/driver/sqlstore"
	"github.com/waxwing-ota/waxwing/internal/driver/witness"
	"github.com/waxwing-ota/waxwing/internal/plane/sealedlog"
	"github.com/waxwing-ota/waxwing/internal/surface/adminapi"
	"github.com/waxwing-ota/waxwing/internal/surface/logapi"
)

// sealedLogPath is where the log of sealed updates is.
const sealedLogPath = "/sealed/log/"

// wireSealedLog makes the plane of the log of sealed updates, its keys at the
// first start, and signs what was added before a crash. A log that cannot be
// signed is said loudly; devices that have nothing new to install go on.
func (s *Server) wireSealedLog(ctx context.Context) error {
	seed, err := s.secret(ctx, "sealed-log")
	if err != nil {
		return err
	}
	// The name is part of the keys and of what devices keep: it must not change
	// when the address does.
	name, err := s.db.EnsureSetting(ctx, "sealed-log.name", []byte(sealedLogName(s.cfg.PublicURL)))
	if err != nil {
		return err
	}
	signer, err := tilelog.NewSigner(string(name), seed)
	if err != nil {
		return err
	}
	ecSeed, err := s.secret(ctx, "sealed-log-p256")
	if err != nil {
		return err
	}
	key, err := p256FromSeed(ecSeed)
	if err != nil {
		return err
	}
	witnesses, err := witness.Parse(s.cfg.LogWitnesses)
	if err != nil {
		return err
	}
	s.sealedLog, err = sealedlog.New(sealedlog.Deps{
		Store: sqlstore.SealedLog{DB: s.db}, Signer: signer, P256: p256.Software(key), Witnesses: witnesses, Threshold: s.cfg.LogQuorum, Rules: s.logRules, Now: time.Now, Log: s.log,
	})
	if err != nil {
		return err
	}
	s.db.OnSealedLeaf(s.sealedLog.Wake)
	if err := s.sealedLog.Sign(ctx); err != nil {
		s.log.Error("the log of sealed updates cannot be signed", "code", ota.CodeOf(err), "err", err)
	}
	return nil
}

// logRules puts the rules of apps into the log whose updates were sealed lately.
func (s *Server) logRules(ctx context.Context) error {
	apps, err := s.db.UnruledApps(ctx)
	for _, app := range apps {
		if err = s.control.LogRules(ctx, app); err != nil {
			break
		}
	}
	return err
}

// p256FromSeed derives a P-256 key from 32 random bytes. A derived number that is
// no private key, which practically never comes up, is passed over.
func p256FromSeed(seed [32]byte) (*ecdsa.PrivateKey, error) {
	for i := range 16 {
		d, err := hkdf.Key(sha256.New, seed[:], nil, fmt.Sprintf("waxwing/sealed-log/p256/%d", i), 32)
		if err != nil {
			return nil, fmt.Errorf("derive a key: %w", err)
		}
		if key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), d); err == nil {
			return key, nil
		}
	}
	return nil, ota.Errorf(ota.KindInternal, "secret_damaged", "no key could be derived from the server's secret")
}

// sealedLogName names a log after the address where it can be read.
func sealedLogName(public string) string {
	u, err := url.Parse(public)
	if err == nil && u.Host != "" {
		name := u.Host + u.EscapedPath() + "/sealed/log"
		if _, err := tilelog.NewSigner(name, [32]byte{}); err == nil && len(name) <= 200 {
			return name
		}
	}
	return "waxwing.local/sealed/log"
}

func (s *Server) sealedLogHandler() http.Handler {
	return logapi.New(logapi.Deps{Log: s.sealedLog, Fail: adminapi.Fail, Prefix: sealedLogPath, Open: true})
}
