package run

import (
	"context"
	"crypto/rand"
	"net/http"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/tlogproof"
	"github.com/waxwing-ota/waxwing/internal/driver/sqlstore"
	"github.com/waxwing-ota/waxwing/internal/plane/ingest"
	"github.com/waxwing-ota/waxwing/internal/plane/sealedlog"
	"github.com/waxwing-ota/waxwing/internal/plane/trust"
	"github.com/waxwing-ota/waxwing/internal/surface/sealedapi"
)

// wireTrust builds the plane of sealed updates.
func (s *Server) wireTrust(ctx context.Context) error {
	key, err := s.secret(ctx, "sealed")
	if err != nil {
		return err
	}
	s.trust, err = trust.New(trust.Deps{
		Store: sqlstore.Trust{DB: s.db}, Blobs: s.blobs, Snap: s.snap, Log: provingLog{s.sealedLog}, Now: time.Now, Rand: rand.Reader, Key: key, Err: s.log,
		Hold: s.control.HoldBlobs, Seen: s.sealedSeen, Certificates: &deviceCertificates{server: s}, TimestampTTL: s.cfg.SealedTTL, PollAfter: s.cfg.SealedPoll,
	})
	if err != nil {
		return err
	}
	return s.trust.Load(ctx)
}

// sealedHandler is everything below /sealed/.
func (s *Server) sealedHandler() http.Handler {
	mux := http.NewServeMux()
	sealedapi.Register(mux, sealedapi.Deps{Repository: s.trust, Log: s.log})
	sealedapi.RegisterEnrolment(mux, sealedapi.EnrolDeps{Devices: s.enrol, Log: s.log})
	return mux
}

// sealedSeen notes a device of sealed updates like any other.
func (s *Server) sealedSeen(v trust.Seen) {
	seen := ingest.Seen{App: v.App, Kind: v.Outcome.Kind, Code: v.Outcome.Code, Offered: v.Outcome.Version, Rollout: v.Outcome.Rollout, Arm: v.Outcome.Arm}
	if v.Outcome.Channel != nil {
		seen.Channel = v.Outcome.Channel.Name
	}
	c := v.Check
	seen.Signed = v.Proven
	seen.Device = ota.Device{
		ID: c.Device, App: v.App, Platform: c.Platform, VersionName: c.VersionName, VersionBuild: c.VersionBuild, VersionOS: c.OS,
		PluginVersion: v.Plugin, CustomID: c.CustomID, IsProd: true, DefaultChannel: c.DefaultChannel,
	}
	if c.OnBuiltin() {
		seen.Device.VersionName = c.VersionBuild // as other devices say it
	}
	s.ingest.Offer(seen)
}

// provingLog is the log of sealed updates as the director sees it.
type provingLog struct{ log *sealedlog.Service }

func (l provingLog) Public() ota.TrustLog {
	key := l.log.P256()
	return ota.TrustLog{Name: l.log.Origin(), Ed25519: l.log.Ed25519(), P256: ota.TrustKey{ID: key.ID(), Public: key.Val.Public}}
}

func (l provingLog) Proof(ctx context.Context, kind string, digest ota.Digest, kept int64) (ota.LogProof, error) {
	return l.log.Proof(ctx, tlogproof.Kind(kind), digest, kept)
}
