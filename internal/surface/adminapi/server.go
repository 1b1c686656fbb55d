package adminapi

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/alerts"
	"github.com/waxwing-ota/waxwing/internal/plane/audit"
	"github.com/waxwing-ota/waxwing/internal/plane/control"
	"github.com/waxwing-ota/waxwing/internal/plane/directory"
	"github.com/waxwing-ota/waxwing/internal/plane/enrol"
	"github.com/waxwing-ota/waxwing/internal/plane/errtrack"
	"github.com/waxwing-ota/waxwing/internal/plane/guards"
	"github.com/waxwing-ota/waxwing/internal/plane/identity"
	"github.com/waxwing-ota/waxwing/internal/plane/incidents"
	"github.com/waxwing-ota/waxwing/internal/plane/insight"
	"github.com/waxwing-ota/waxwing/internal/plane/notify"
	"github.com/waxwing-ota/waxwing/internal/plane/plans"
	"github.com/waxwing-ota/waxwing/internal/plane/scans"
	"github.com/waxwing-ota/waxwing/internal/plane/sealedlog"
	"github.com/waxwing-ota/waxwing/internal/plane/token"
	"github.com/waxwing-ota/waxwing/internal/plane/trust"
)

// prefix is where the operations are.
const prefix = "/api/v1"

// DocumentPath is where the OpenAPI document is.
const DocumentPath = "/api/openapi.json"

// fallback is the pattern of what is no operation.
const fallback = "/api/"

// Deps is what the API needs. Every field is required.
type Deps struct {
	Control      *control.Service
	Insight      *insight.Service
	Guards       *guards.Service
	Tokens       *token.Service
	Audit        *audit.Service
	SealedLog    *sealedlog.Service
	Webhooks     *notify.Service
	Scans        *scans.Service
	Errors       *errtrack.Service
	Alerts       *alerts.Service
	Plans        *plans.Service
	Incidents    *incidents.Service
	Trust        *trust.Service
	Enrol        *enrol.Service
	Authenticate Authenticator
	Access       Access
	Directory    *directory.Service
	Identity     *identity.Service
	// Base is the address that whoever sent r sees the server at.
	Base func(r *http.Request) string
	// Probe asks the data plane what a device would get that sent its request
	// to where r was sent.
	Probe func(ctx context.Context, app string, in ota.ProbeRequest, r *http.Request) (json.RawMessage, []decide.Step, error)
	// Status says how the server is.
	Status func(context.Context) (ota.ServerStatus, error)
	// Settings says how the server was set up, without secrets.
	Settings []ota.Setting
	MaxBody  int64 // bytes of a JSON body
	Log      *slog.Logger
}

type server struct {
	deps Deps
	api  huma.API
	mux  *http.ServeMux
	doc  []byte
}

// New returns the handler of everything below /api/.
func New(d Deps) (http.Handler, error) {
	s, err := build(d)
	if err != nil {
		return nil, err
	}
	return s.watched(s.mux), nil
}

// Document returns the OpenAPI document, indented.
func Document() ([]byte, error) {
	s, err := build(Deps{})
	if err != nil {
		return nil, err
	}
	return s.doc, nil
}

func build(d Deps) (*server, error) {
	s := &server{deps: d, mux: http.NewServeMux()}
	cfg := apiConfig()
	cfg.Transformers = []huma.Transformer{s.badParameters}
	s.api = humago.New(s.mux, cfg)
	s.api.UseMiddleware(func(hc huma.Context, next func(huma.Context)) { next(paramContext{hc}) })

	s.registerSystem()
	s.registerSettings()
	s.registerTokens()
	s.registerInvitations()
	s.registerMyMethods()
	s.registerSessions()
	s.registerSSO()
	s.registerPublishers()
	s.registerApps()
	s.registerOrgs()
	s.registerUsers()
	s.registerGroups()
	s.registerServiceAccounts()
	s.registerGrants()
	s.registerAccess()
	s.registerKeys()
	s.registerTrust()
	s.registerChannels()
	s.registerContainment()
	s.registerIncidents()
	s.registerReleases()
	s.registerGuard()
	s.registerApprovals()
	s.registerBlobs()
	s.registerBundles()
	s.registerDocuments()
	s.registerNatives()
	s.registerPlans()
	s.registerCohorts()
	s.registerDevices()
	s.registerEnrol()
	s.registerEvents()
	s.registerErrors()
	s.registerSourceMaps()
	s.registerAudit()
	s.registerSealedLog()
	s.registerWebhooks()
	s.registerInsight()
	s.registerOutcomes()
	s.registerAnalytics()
	s.registerScans()
	s.registerScanPolicy()
	s.registerSuppressions()
	s.registerAlerts()

	var err error
	if s.doc, err = finish(s.api.OpenAPI()); err != nil {
		return nil, err
	}
	s.mux.HandleFunc("GET "+DocumentPath, s.serveDocument)
	s.mux.HandleFunc(fallback, s.unknownRoute)
	return s, nil
}

func (s *server) serveDocument(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(s.doc)
}

// unknownRoute answers requests that no operation is for, and says which
// methods the address takes, if any.
func (s *server) unknownRoute(w http.ResponseWriter, r *http.Request) {
	p := s.problemOf(r.Context(), ota.NotFound("route_unknown", "there is no %s %s", clip(r.Method), clip(r.URL.Path)).
		WithHint("the routes are in "+DocumentPath))
	if allowed := s.methods(r); len(allowed) > 0 {
		p.Status, p.Title = http.StatusMethodNotAllowed, http.StatusText(http.StatusMethodNotAllowed)
		p.Hint = "this address takes: " + strings.Join(allowed, ", ")
		w.Header().Set("Allow", strings.Join(allowed, ", "))
	}
	s.writeProblem(w, p)
}

// methods lists the methods that operations at the address of r have.
func (s *server) methods(r *http.Request) []string {
	var allowed []string
	for _, m := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		other := r.Clone(r.Context())
		other.Method = m
		if _, pattern := s.mux.Handler(other); pattern != "" && pattern != fallback {
			allowed = append(allowed, m)
		}
	}
	return allowed
}

// requestOf returns the HTTP request behind huma's context.
func requestOf(hc huma.Context) *http.Request {
	r, _ := humago.Unwrap(hc)
	return r
}

// resourcePath is the address below /api/v1.
func resourcePath(hc huma.Context) string {
	u := hc.URL()
	return u.EscapedPath()[len(prefix):]
}
