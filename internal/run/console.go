package run

import (
	"net/http"
	"time"

	"github.com/waxwing-ota/waxwing/internal/secret"
	"github.com/waxwing-ota/waxwing/internal/surface/adminapi"
	"github.com/waxwing-ota/waxwing/internal/surface/auth"
	"github.com/waxwing-ota/waxwing/internal/surface/console"
)

// wireConsole makes the console a client of the API's handler.
func (s *Server) wireConsole(admin http.Handler) (http.Handler, error) {
	return console.New(console.Deps{
		Sessions: visitors{s}, Access: s.access, API: admin, As: adminapi.WithPrincipal, Now: time.Now, Log: s.log, Stopping: s.stopping,
	})
}

// visitors finds who a browser is signed in as.
type visitors struct{ s *Server }

// Resolve implements [console.Sessions].
func (v visitors) Resolve(r *http.Request) (console.Visitor, error) {
	p, ses, err := v.s.identity.Resolve(r.Context(), secret.New(auth.SessionSecret(r, v.s.base(r))))
	if err != nil {
		return console.Visitor{}, err
	}
	u, err := v.s.db.User(r.Context(), ses.UserID)
	return console.Visitor{Principal: p, User: u, Session: ses}, err
}
