package adminapi

import (
	"net/http"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Allowed checks whether the caller of a request outside of /api/ may do an
// action to what belongs to the server itself, just as an operation would.
func Allowed(d Deps, r *http.Request, action, path string) error {
	s := &server{deps: d}
	p, err := s.authenticate(r.Context(), r.Header.Get("Authorization"), addrOf(r))
	if err != nil {
		return err
	}
	return d.Access.Authorize(r.Context(), p, action, ota.Resource{Scope: ota.Scope{Org: ota.MainOrg}, Path: path})
}

// Fail answers a request outside of /api/ with the problem document of an error.
func Fail(w http.ResponseWriter, r *http.Request, err error) {
	s := &server{}
	s.writeProblem(w, s.problemOf(r.Context(), err))
}
