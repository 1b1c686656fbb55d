package run

import (
	"time"

	"github.com/waxwing-ota/waxwing/internal/driver/idtoken"
)

// idVerifier checks the signatures of ID tokens of CI runs.
func (s *Server) idVerifier() *idtoken.Verifier {
	c := s.cfg.IssuerHTTP
	if c == nil {
		c = idtoken.NewClient()
	}
	return idtoken.New(c, time.Now)
}

// ciAudience is whom ID tokens must be made out to. The address of a request
// does not count: whoever sends it chooses it.
func (s *Server) ciAudience() string {
	if s.cfg.CIAudience != "" {
		return s.cfg.CIAudience
	}
	return s.cfg.PublicURL
}
