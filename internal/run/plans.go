package run

import (
	"time"
	_ "time/tzdata" // windows of plans name zones, and images without an operating system have none

	"github.com/waxwing-ota/waxwing/internal/plane/plans"
)

// wirePlans builds the conductor of rollout plans.
func (s *Server) wirePlans() *plans.Service {
	return plans.New(plans.Deps{Store: s.db, Advance: s.control.AdvanceRollout, Guard: s.guards, Snap: s.snap, Now: time.Now, Log: s.log})
}
