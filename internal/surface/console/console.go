package console

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/waxwing-ota/waxwing/internal/client"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/scan/rules"
)

// Prefix is where the console is.
const Prefix = "/console"

// Visitor is who is signed in.
type Visitor struct {
	Principal ota.Principal
	User      ota.User
	Session   ota.Session
}

// Sessions finds who a browser is signed in as.
type Sessions interface {
	// Resolve returns the visitor for the session cookie of r, or fails with
	// KindUnauthorized.
	Resolve(r *http.Request) (Visitor, error)
}

// Access decides what a visitor may do, as for the API.
type Access interface {
	Authorize(ctx context.Context, p ota.Principal, action string, r ota.Resource) error
	Reach(ctx context.Context, p ota.Principal, action string) (ota.Reach, error)
}

// Deps is what the console needs.
type Deps struct {
	Sessions Sessions
	Access   Access
	// API is the handler of the admin API, and As makes a context in which a
	// request to it is the principal's.
	API http.Handler
	As  func(context.Context, ota.Principal) context.Context
	Now func() time.Time
	Log *slog.Logger
	// Stopping is closed when the server stops, which ends live pages; nil = never.
	Stopping <-chan struct{}
}

// Console answers below Prefix.
type Console struct {
	deps      Deps
	api       *client.Client
	streams   *client.Client // for answers that are passed on while they come
	mux       *http.ServeMux
	routes    []route
	templates map[string]page
	assets    *assets
	reports   *reports
	rules     *rules.Set   // of scans
	live      atomic.Int64 // streams that are open
}

// New returns the console's handler.
func New(d Deps) (*Console, error) {
	c := &Console{deps: d, mux: http.NewServeMux(), reports: &reports{now: d.Now, log: d.Log}}
	if err := c.load(); err != nil {
		return nil, err
	}
	c.registerAll()
	return c, nil
}

// registerAll registers every address that the console has.
func (c *Console) registerAll() {
	c.registerSignIn()
	c.registerAccount()
	c.registerOverview()
	c.registerApps()
	c.registerApp()
	c.registerAnalytics()
	c.registerBundles()
	c.registerChannels()
	c.registerChannel()
	c.registerRollout()
	c.registerPlan()
	c.registerCohorts()
	c.registerRollback()
	c.registerGuard()
	c.registerIncidents()
	c.registerDevices()
	c.registerDevice()
	c.registerEvents()
	c.registerErrors()
	c.registerError()
	c.registerChanges()
	c.registerKeys()
	c.registerSealed()
	c.registerApprovals()
	c.registerApproval()
	c.registerPeople()
	c.registerInvitations()
	c.registerGroups()
	c.registerMachines()
	c.registerGrants()
	c.registerRoles()
	c.registerTokens()
	c.registerPublishers()
	c.registerAudit()
	c.registerWebhooks()
	c.registerDeliveries()
	c.registerSettings()
	c.registerOrgs()
	c.registerSSO()
	c.registerScan()
	c.registerScans()
	c.registerSuppressions()
	c.registerAlerts()
	c.registerTheme()
	c.mux.Handle("GET "+Prefix+"/assets/{file}", c.assets)
	c.mux.Handle("POST "+Prefix+"/csp-report", c.reports)
	c.open(route{method: "GET", path: "/", action: public}, func(*request) (answer, error) {
		return answer{}, ota.NotFound("page_unknown", "there is no such page").WithHint("start from the overview")
	})
}

// load reads what pages are made of.
func (c *Console) load() error {
	var err error
	if c.assets, err = loadAssets(); err != nil {
		return err
	}
	if c.rules, err = rules.Load(); err != nil {
		return err
	}
	if c.templates, err = loadTemplates(c.assets, c.deps.Now); err != nil {
		return err
	}
	if c.api, err = newClient(c.deps.API); err != nil {
		return err
	}
	if c.streams, err = newStreamClient(c.deps.API); err != nil {
		return err
	}
	return nil
}

// Pages lists the patterns of the addresses that are read, such as
// "/console/apps/{app}", for those who measure them.
func (c *Console) Pages() []string {
	var out []string
	for _, rt := range c.routes {
		if rt.method == http.MethodGet {
			out = append(out, Prefix+rt.path)
		}
	}
	return out
}

// ServeHTTP answers a request. Forms of other sites are refused.
func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	setHeaders(w.Header(), r.TLS != nil)
	if r.URL.Path == Prefix {
		http.Redirect(w, r, Prefix+"/", http.StatusMovedPermanently)
		return
	}
	if !strings.HasSuffix(r.URL.Path, "/csp-report") {
		if err := http.NewCrossOriginProtection().Check(r); err != nil {
			c.fail(&request{Request: r, console: c, w: w}, ota.Errorf(ota.KindForbidden, "cross_origin", "this came from another site").
				WithHint("open the console itself and try again"))
			return
		}
	}
	z := compress(w, r)
	defer z.close()
	c.mux.ServeHTTP(z, r)
}
