package run

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/driver/sqlstore"
	"github.com/waxwing-ota/waxwing/internal/plane/authz"
	"github.com/waxwing-ota/waxwing/internal/plane/control"
	"github.com/waxwing-ota/waxwing/internal/plane/directory"
	"github.com/waxwing-ota/waxwing/internal/plane/edge"
	"github.com/waxwing-ota/waxwing/internal/plane/ingest"
	"github.com/waxwing-ota/waxwing/internal/plane/insight"
	"github.com/waxwing-ota/waxwing/internal/plane/snap"
	"github.com/waxwing-ota/waxwing/internal/plane/token"
	"github.com/waxwing-ota/waxwing/internal/run/config"
	"github.com/waxwing-ota/waxwing/internal/surface/adminapi"
	"github.com/waxwing-ota/waxwing/internal/surface/deviceapi/capgo"
)

// haltActor is who the record of changes names when a release is taken back
// without a person.
const haltActor ota.Actor = "system/guard"

func (s *Server) wirePlanes() error {
	s.wireDirectory()
	var err error
	if s.scans, err = s.wireScans(); err != nil {
		return err
	}
	s.snap = snap.NewHolder(s.db)
	if err := s.wireMetrics(); err != nil {
		return err
	}
	s.errors = s.wireErrors()
	s.ingest = ingest.New(ingest.Deps{
		Fault:   s.errors.Fault,
		Observe: s.observed, SignedOnly: s.signedOnly,
		Store: s.db, Snap: s.snap, Now: time.Now, Log: s.log,
		Halt: func(ctx context.Context, h ingest.Halt) error {
			why := control.HaltReason{Version: h.Version, Text: h.Text}
			return s.control.Halt(ctx, haltActor, h.App, h.Channel, why, h.Action)
		},
	})
	s.control = control.New(control.Deps{
		Store: s.db, Blobs: s.blobs, Snap: s.snap, Now: time.Now, Rand: rand.Reader, Flush: s.ingest.Flush,
		MayRevoke: func(p ota.Principal, t ota.Token) bool { return s.tokens.Cares(p, t) },
		MayServe: func(app string, bundle int64, running ...int64) error {
			return s.trust.MayServe(app, bundle, running...)
		},
		Rules: s.scans.RuleIDs(), ScanAsked: s.scans.Wake,
		MayApprove: s.mayApprove, NeedsAssertion: s.needsAssertion, Assert: s.assert, Challenge: s.challenge, ConsoleURL: strings.TrimRight(s.cfg.PublicURL, "/"),
		MaxBlob: s.cfg.MaxBlob, Retention: s.cfg.Retention, EventRetention: s.cfg.EventRetention,
	})
	s.wireAlerts()
	s.wireGuards()
	s.plans = s.wirePlans()
	s.wireIncidents()
	s.tokens = token.New(token.Deps{
		Store: sqlstore.Tokens{DB: s.db}, Grants: s.db.EffectiveGrants, Now: time.Now, Rand: rand.Reader,
		Verifier: s.idVerifier(), Audience: s.ciAudience(), Actions: func() []string { return s.access.Actions() },
	})
	return nil
}

// wireDirectory makes the plane of people and roles.
func (s *Server) wireDirectory() {
	s.directory = directory.New(directory.Deps{
		Store: sqlstore.Directory{DB: s.db}, Now: time.Now,
		CanSignIn: func(ctx context.Context, userID int64) (bool, error) { return s.identity.CanSignIn(ctx, userID) },
	})
}

func (s *Server) wireSurfaces(ctx context.Context) error {
	links, err := s.secret(ctx, "links")
	if err != nil {
		return err
	}
	s.edge = edge.New(links, time.Now)
	networks, err := s.secret(ctx, "networks")
	if err != nil {
		return err
	}
	if err := s.wireIdentity(ctx); err != nil {
		return err
	}
	s.access, err = authz.New(authz.Deps{Places: places{s.snap}, Now: time.Now})
	if err != nil {
		return err
	}
	deps := adminapi.Deps{
		Control: s.control, Directory: s.directory, Tokens: s.tokens, Audit: s.audit, SealedLog: s.sealedLog, Webhooks: s.notify, Scans: s.scans, Alerts: s.alerts,
		Authenticate: s.tokens.Authenticate, Access: s.access,
		Probe: s.probe, Status: s.status, MaxBody: s.cfg.MaxBody, Log: s.log,
	}
	deps.Identity, deps.Base = s.identity, s.base
	deps.Errors = s.errors
	deps.Settings = config.Values(s.cfg)
	deps.Guards = s.guards
	deps.Insight = insight.New(s.db, time.Now)
	deps.Incidents = s.incidents
	deps.Trust = s.trust
	deps.Enrol = s.enrol
	deps.Plans = s.plans
	admin, err := adminapi.New(deps)
	if err != nil {
		return err
	}
	device := capgo.New(capgo.Deps{
		Apps: s.snap, Edge: s.edge, Recorder: s.ingest, Channels: watchedChannels{s.control, s.alerts.Switched}, Blobs: s.blobs,
		Now: time.Now, Log: s.log, PublicURL: s.cfg.PublicURL, Strict429: s.cfg.Strict429,
		Networks: networks,
		Limits:   capgo.Limits{Check: s.cfg.MaxCheck, Stats: s.cfg.MaxStats, Manifest: s.cfg.MaxManifest},
	})
	s.ready = &ready{ping: s.db.Ping, now: time.Now}
	pages, err := s.wireConsole(admin)
	if err != nil {
		return err
	}
	s.routes = &routes{admin: admin, auth: s.authHandler(), console: pages, log: s.logHandler(deps), sealedLog: s.sealedLogHandler(), sealed: s.sealedHandler(), metrics: s.guardedMetrics(deps), ready: s.ready, device: device, trustProxy: s.cfg.TrustProxy}
	return nil
}

// probe asks the data plane what a device would get.
func (s *Server) probe(ctx context.Context, app string, in ota.ProbeRequest, r *http.Request) (json.RawMessage, []decide.Step, error) {
	keys, err := s.control.Keys(ctx, app)
	if err != nil {
		return nil, nil, err
	}
	newest := ""
	for _, k := range keys { // newest first
		if k.State == ota.KeyActive {
			newest = k.ID
			break
		}
	}
	view := s.snap.App(app)
	if view == nil {
		return nil, nil, ota.NotFound(control.CodeAppNotFound, "there is no app %q", app)
	}
	answer, steps, err := s.edge.Probe(view, in, newest, s.base(r))
	if err != nil {
		return nil, nil, err
	}
	return answer, append(steps, s.trust.Probe(view, in)...), nil
}

// base is the address that a device which sent r would get links to.
func (s *Server) base(r *http.Request) string {
	switch {
	case s.cfg.PublicURL != "":
		return s.cfg.PublicURL
	case r.TLS != nil:
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// status says how the server is.
func (s *Server) status(ctx context.Context) (ota.ServerStatus, error) {
	held, taken := s.snap.Stats(), s.ingest.Stats()
	return ota.ServerStatus{
		Version: version(), StartedAt: s.started.UnixMilli(), PublicURL: s.cfg.PublicURL,
		Apps: held.Apps, ChangedAt: held.ChangedAt, Remembered: held.Devices,
		Requests: s.routes.devices.Load(), Events: taken.Events, Duplicates: taken.Duplicates,
		SeenLost: taken.NotesLost, AutoHalts: taken.Halts, ReadOnlyDB: !s.ready.check(ctx),
	}, nil
}

func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
