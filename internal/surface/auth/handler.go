package auth

import (
	"crypto/rand"
	"log/slog"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/identity"
)

// Deps is what the routes need. Every field is required.
type Deps struct {
	Identity *identity.Service
	// Base is the address that the browser which sent r sees the server at.
	Base func(r *http.Request) string
	// PublicURL is the address from the settings, "" = none.
	PublicURL string
	Log       *slog.Logger
}

type handler struct {
	id   *identity.Service
	base func(r *http.Request) string
	log  *slog.Logger
	mux  *http.ServeMux
}

// New returns the handler of everything below /auth/.
func New(d Deps) http.Handler {
	h := &handler{id: d.Identity, base: d.Base, log: d.Log, mux: http.NewServeMux()}
	h.routes()
	cross := http.NewCrossOriginProtection()
	if u, err := url.Parse(d.PublicURL); err == nil && u.Host != "" {
		// The address of the settings was checked; the error is for malformed ones.
		_ = cross.AddTrustedOrigin(u.Scheme + "://" + u.Host)
	}
	cross.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.fail(w, r, ota.Errorf(ota.KindForbidden, "cross_origin", "this request comes from another site"))
	}))
	return h.watched(cross.Handler(h.mux))
}

// The pages that forms lead back to.
const (
	pageHome   = "/console/"
	pageSignIn = "/console/sign-in"
	pageCode   = "/console/sign-in/code"
	pageStepUp = "/console/step-up"
)

func (h *handler) routes() {
	h.mux.HandleFunc("GET /auth/options", h.serve("", h.options))
	h.mux.HandleFunc("GET /auth/session", h.serve("", h.session))
	h.mux.HandleFunc("POST /auth/passkey/begin", h.serve("", h.passkeyBegin))
	h.mux.HandleFunc("POST /auth/passkey/finish", h.serve("", h.passkeyFinish))
	h.mux.HandleFunc("POST /auth/password", h.serve(pageSignIn, h.password))
	h.mux.HandleFunc("POST /auth/totp", h.serve(pageCode, h.totp))
	h.mux.HandleFunc("POST /auth/recovery", h.serve(pageCode, h.recovery))
	h.mux.HandleFunc("POST /auth/sign-out", h.serve(pageSignIn, h.signOut))
	h.mux.HandleFunc("GET /auth/oidc/{provider}/start", h.serve("", h.ssoStart))
	h.mux.HandleFunc("GET /auth/oidc/{provider}/callback", h.serve("", h.ssoCallback))
	h.mux.HandleFunc("POST /auth/step-up", h.serve(pageStepUp, h.stepUp))
	h.mux.HandleFunc("POST /auth/step-up/passkey/begin", h.serve("", h.stepUpBegin))
	h.mux.HandleFunc("POST /auth/step-up/passkey/finish", h.serve("", h.stepUpFinish))
	h.mux.HandleFunc("POST /auth/passkeys/begin", h.serve("", h.addBegin))
	h.mux.HandleFunc("POST /auth/passkeys/finish", h.serve("", h.addFinish))
	for _, kind := range []identity.LinkKind{identity.LinkSetup, identity.LinkInvite, identity.LinkReset} {
		at := "POST /auth/" + string(kind)
		h.mux.HandleFunc(at, h.serve("", h.link(kind)))
		h.mux.HandleFunc(at+"/passkey/begin", h.serve("", h.enrolPasskeyBegin(kind)))
		h.mux.HandleFunc(at+"/passkey/finish", h.serve("", h.enrolPasskeyFinish(kind)))
		h.mux.HandleFunc(at+"/password", h.serve("", h.enrolPassword(kind)))
		h.mux.HandleFunc(at+"/totp", h.serve("", h.enrolTOTP(kind)))
	}
	h.mux.HandleFunc("/auth/", func(w http.ResponseWriter, r *http.Request) {
		h.fail(w, r, ota.NotFound("route_unknown", "there is no such route").WithHint("the package comment of surface/auth lists them"))
	})
}

// serve runs a route. page is where a form that failed leads back to; "" = the
// route takes no forms.
func (h *handler) serve(page string, run func(c *call) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c := &call{h: h, w: w, r: r, base: h.base(r), forms: page != "", status: http.StatusOK}
		var out any
		var err error
		if r.Method == http.MethodPost && !confidential(c.base) {
			err = ota.Errorf(ota.KindForbidden, "https_required", "signing in needs HTTPS: what is sent here can be read on the way").
				WithHint("serve with a certificate, or behind a proxy with HTTPS and --public-url; http://localhost works on the machine itself")
		} else {
			out, err = run(c)
		}
		switch {
		case c.isForm() && page != "" && err != nil:
			h.failForm(c, page, err)
		case err != nil:
			h.fail(w, r, err)
		case c.to != "" && (c.isForm() || out == nil):
			http.Redirect(w, r, c.to, http.StatusSeeOther)
		default:
			h.answer(w, c.status, out)
		}
	}
}

// failForm leads the browser back to the page of a form.
func (h *handler) failForm(c *call, page string, err error) {
	code := ota.CodeOf(err)
	if ota.KindOf(err) == ota.KindInternal {
		h.log.LogAttrs(c.r.Context(), slog.LevelError, "sign-in failed inside",
			slog.String("err", err.Error()), slog.String("request", ota.RequestOf(c.r.Context())))
		code = "internal"
	}
	if code == identity.CodeFlowExpired || code == identity.CodeSignedOut {
		page = pageSignIn
	}
	http.Redirect(c.w, c.r, withError(page, code, c.next), http.StatusSeeOther)
}

func withError(page, code, next string) string {
	q := url.Values{"error": {code}}
	if next != "" && next != pageHome {
		q.Set("next", next)
	}
	return page + "?" + q.Encode()
}

// localPath is where to go next: a path of this server, else the first page.
func localPath(next string) string {
	bad := func(r rune) bool { return r < ' ' || r == '\\' || r == 0x7f }
	if len(next) < 1 || len(next) > 1024 || next[0] != '/' || strings.HasPrefix(next, "//") || strings.ContainsFunc(next, bad) {
		return pageHome
	}
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || strings.HasPrefix(u.Path, "//") || strings.Contains(u.Path, "\\") {
		return pageHome
	}
	return next
}

// watched gives every request an id and the headers of an API, and turns a
// panic into an error answer.
func (h *handler) watched(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begin := time.Now()
		id := strings.ToLower(rand.Text()[:16])
		head := w.Header()
		head.Set("X-Request-Id", id)
		head.Set("Cache-Control", "no-store")
		head.Set("X-Content-Type-Options", "nosniff")
		head.Set("Referrer-Policy", "no-referrer")
		head.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		r = r.WithContext(ota.WithRequest(r.Context(), id))
		defer func() {
			if p := recover(); p != nil {
				h.log.Error("sign-in panicked", "panic", p, "stack", string(debug.Stack()), "request", id)
				h.fail(w, r, ota.Errorf(ota.KindInternal, "internal", "the server failed to do this"))
			}
			h.log.Info("request", "method", r.Method, "path", pathOf(r), "ms", time.Since(begin).Milliseconds(), "request", id)
		}()
		next.ServeHTTP(w, r)
	})
}

// pathOf is the path for the log; queries are left out, since a callback's has
// the code.
func pathOf(r *http.Request) string {
	if len(r.URL.Path) > 200 {
		return r.URL.Path[:200]
	}
	return r.URL.Path
}
