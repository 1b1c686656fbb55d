// Package run is the composition root: it builds a server from its settings,
// runs it and takes it down. It is the only importer of drivers.
//
// It must never hold a rule of the product; those live in core and plane.
package run

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/driver/blob"
	blobfs "github.com/waxwing-ota/waxwing/internal/driver/blob/fs"
	"github.com/waxwing-ota/waxwing/internal/driver/hashlist"
	"github.com/waxwing-ota/waxwing/internal/driver/holdfile"
	"github.com/waxwing-ota/waxwing/internal/driver/mail"
	"github.com/waxwing-ota/waxwing/internal/driver/sqlstore"
	"github.com/waxwing-ota/waxwing/internal/plane/alerts"
	"github.com/waxwing-ota/waxwing/internal/plane/audit"
	"github.com/waxwing-ota/waxwing/internal/plane/authz"
	"github.com/waxwing-ota/waxwing/internal/plane/control"
	"github.com/waxwing-ota/waxwing/internal/plane/directory"
	"github.com/waxwing-ota/waxwing/internal/plane/edge"
	"github.com/waxwing-ota/waxwing/internal/plane/enrol"
	"github.com/waxwing-ota/waxwing/internal/plane/errtrack"
	"github.com/waxwing-ota/waxwing/internal/plane/guards"
	"github.com/waxwing-ota/waxwing/internal/plane/identity"
	"github.com/waxwing-ota/waxwing/internal/plane/incidents"
	"github.com/waxwing-ota/waxwing/internal/plane/ingest"
	"github.com/waxwing-ota/waxwing/internal/plane/notify"
	"github.com/waxwing-ota/waxwing/internal/plane/plans"
	"github.com/waxwing-ota/waxwing/internal/plane/scans"
	"github.com/waxwing-ota/waxwing/internal/plane/sealedlog"
	"github.com/waxwing-ota/waxwing/internal/plane/snap"
	"github.com/waxwing-ota/waxwing/internal/plane/token"
	"github.com/waxwing-ota/waxwing/internal/plane/trust"
	"github.com/waxwing-ota/waxwing/internal/run/config"
	"github.com/waxwing-ota/waxwing/internal/surface/metrics"
)

// One value satisfies what every plane wants of a database.
var (
	_ snap.Source   = (*sqlstore.DB)(nil)
	_ control.Store = (*sqlstore.DB)(nil)
	_ ingest.Store  = (*sqlstore.DB)(nil)
)

// Server is a whole server. New makes it ready, Run lets it serve.
type Server struct {
	cfg       config.Config
	log       *slog.Logger
	started   time.Time
	bootstrap string

	data      *dataDir
	db        *sqlstore.DB
	blobs     blob.Store
	snap      *snap.Holder
	control   *control.Service
	tokens    *token.Service
	audit     *audit.Service
	sealedLog *sealedlog.Service
	enrol     *enrol.Service
	signed    signedOnly
	ingest    *ingest.Service
	edge      *edge.Service
	notify    *notify.Service
	mailer    *mail.Mailer // nil = no mail server is set
	scans     *scans.Service
	errors    *errtrack.Service
	alerts    *alerts.Service
	guards    *guards.Service
	held      *holdfile.File
	plans     *plans.Service
	routes    *routes
	ready     *ready
	ln        net.Listener
	plain     net.Listener // nil = none
	certs     certificates
	debug     net.Listener // nil = none
	metrics   *metrics.Metrics
	stopping  chan struct{} // closed when requests are to end
	directory *directory.Service
	access    *authz.Service

	identity *identity.Service
	breached *hashlist.List // nil = none
	setup    string

	incidents *incidents.Service
	trust     *trust.Service
}

// New opens the data directory (made if there is none), brings the database up
// to date, loads what devices are answered from, and opens the address. It
// fails with an *ota.Error that says what to do; nothing stays open then. Call
// Run, or Close to give it all back.
func New(ctx context.Context, cfg config.Config) (*Server, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	s := &Server{cfg: cfg, log: cfg.Log, started: time.Now(), stopping: make(chan struct{})}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Server) open(ctx context.Context) (err error) {
	if s.data, err = openDataDir(s.cfg.Data); err != nil {
		return err
	}
	if s.db, err = sqlstore.Open(ctx, s.data.database()); err != nil {
		return err
	}
	if s.blobs, err = blobfs.Open(s.data.blobs(), time.Now); err != nil {
		return err
	}
	if err = s.wirePlanes(); err != nil {
		return err
	}
	if err = s.snap.Load(ctx); err != nil {
		return err
	}
	if err = s.guards.Load(ctx); err != nil {
		return err
	}
	if err = s.wireAudit(ctx); err != nil {
		return err
	}
	if err = s.wireSealedLog(ctx); err != nil {
		return err
	}
	if err = s.wireTrust(ctx); err != nil {
		return err
	}
	if err = s.wireEnrol(ctx); err != nil {
		return err
	}
	if err = s.wireNotify(ctx); err != nil {
		return err
	}
	if err = s.wireSurfaces(ctx); err != nil {
		return err
	}
	if s.certs, err = certificatesOf(s.cfg, s.data.path); err != nil {
		return err
	}
	if s.ln, err = listen(ctx, s.cfg, s.certs); err != nil {
		return err
	}
	if s.plain, err = listenPlain(ctx, s.cfg); err != nil {
		return err
	}
	if err = s.listenDebug(ctx); err != nil {
		return err
	}
	// Last, when nothing can fail any more: a token that was made and not shown
	// would lock the owner out.
	if s.bootstrap, err = s.tokens.Bootstrap(ctx, s.cfg.BootstrapToken.Reveal()); err != nil {
		return err
	}
	return s.makeSetupLink(ctx)
}

// Run serves until ctx ends, then lets requests under way finish, stores what
// devices reported, and closes everything. It returns nil after such a stop.
func (s *Server) Run(ctx context.Context) error {
	// Reports are taken in for as long as requests are answered.
	intake, stopIntake := context.WithCancel(context.WithoutCancel(ctx))
	defer stopIntake()
	g, ctx := errgroup.WithContext(ctx)
	context.AfterFunc(ctx, func() { close(s.stopping) })
	g.Go(func() error { return s.ingest.Run(intake) })
	g.Go(func() error { return s.guards.Run(intake) })
	g.Go(func() error { return s.keepAudit(ctx) })
	g.Go(func() error { return s.sealedLog.Run(ctx) })
	g.Go(func() error { return s.notify.Run(ctx) })
	g.Go(func() error { return s.scans.Run(ctx) })
	g.Go(func() error { return s.alerts.Run(ctx) })
	g.Go(func() error { return s.plans.Run(ctx) })
	g.Go(func() error { return s.trust.Run(ctx) })
	g.Go(func() error { return s.enrol.Run(ctx) })
	g.Go(func() error { return s.runDebug(ctx) })
	g.Go(func() error { return s.servePlain(ctx) })
	g.Go(func() error { return (&sweeper{sweep: s.control.SweepApprovals, log: s.log}).run(ctx) })
	g.Go(func() error { return s.forwardAudit(ctx) })
	g.Go(func() error { return (&collector{collect: s.control.CollectGarbage, log: s.log}).run(ctx) })
	g.Go(func() error {
		return s.incidents.Run(ctx, func(err error) { s.log.Error("watching recoveries failed", "err", err) })
	})
	g.Go(func() error {
		defer stopIntake()
		s.log.Info("listening", "url", s.URL())
		err := serveHTTP(ctx, newHTTPServer(s.routes, s.log), s.ln, s.cfg.ShutdownGrace)
		s.log.Info("stopping")
		return err
	})
	err := g.Wait()
	s.guards.End(context.WithoutCancel(ctx)) // what the last reports brought
	return errors.Join(err, s.Close())
}

// Close gives everything back without serving. Run does it by itself.
func (s *Server) Close() error {
	var errs []error
	for _, l := range []net.Listener{s.ln, s.plain, s.debug} {
		if l == nil {
			continue
		}
		if err := l.Close(); !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	if s.breached != nil {
		errs = append(errs, s.breached.Close())
		s.breached = nil
	}
	if s.held != nil {
		errs = append(errs, s.held.Close())
		s.held = nil
	}
	if s.db != nil {
		errs = append(errs, s.db.Close())
	}
	if s.data != nil {
		errs = append(errs, s.data.close())
	}
	s.db, s.data = nil, nil
	return errors.Join(errs...)
}

// Addr is the address it listens on, with the real port.
func (s *Server) Addr() net.Addr { return s.ln.Addr() }

// URL is where this machine reaches the server.
func (s *Server) URL() string {
	scheme := "http"
	if s.cfg.TLS() {
		scheme = "https"
	}
	addr := s.ln.Addr().String()
	if tcp, ok := s.ln.Addr().(*net.TCPAddr); ok && tcp.IP.IsUnspecified() {
		addr = net.JoinHostPort("127.0.0.1", fmt.Sprint(tcp.Port))
	}
	return scheme + "://" + addr
}

// Bootstrap is the owner token that this start made, because it was the first
// one and none was given; otherwise it is empty. Show it to the person who
// started the server: it cannot be shown again.
func (s *Server) Bootstrap() string { return s.bootstrap }

// secret returns the server's own secret under a key, made at its first start.
func (s *Server) secret(ctx context.Context, key string) (out [32]byte, err error) {
	fresh := make([]byte, len(out))
	if _, err := rand.Read(fresh); err != nil {
		return out, fmt.Errorf("make a secret: %w", err)
	}
	value, err := s.db.EnsureSetting(ctx, "secret."+key, fresh)
	if err != nil {
		return out, err
	}
	if copy(out[:], value) != len(out) {
		return out, ota.Errorf(ota.KindInternal, "secret_damaged", "the server's secret %q in the database is damaged", key)
	}
	return out, nil
}
