package adminapi

import (
	"net/http"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

type cohortInput struct {
	Request
	AppParams
	Name string `path:"cohort" doc:"name of the cohort"`
}

func (s *server) registerCohorts() {
	const tag, path = "cohorts", "/apps/{app}/cohorts"
	register(s, route{
		id: "list-cohorts", method: http.MethodGet, path: path, action: "cohort.list", tag: tag,
		summary: "List an app's cohorts by name, without their lists of ids; there are at most 200",
	},
		func(c *call, in *appInput, _ none) (list[ota.Cohort], error) {
			items, err := s.deps.Control.Cohorts(c, in.App)
			return listOf(items, "", err)
		})
	register(s, route{
		id: "get-cohort", method: http.MethodGet, path: path + "/{cohort}", action: "cohort.get", tag: tag,
		summary: "Get a cohort with its list of ids",
	},
		func(c *call, in *cohortInput, _ none) (ota.Cohort, error) {
			return s.deps.Control.Cohort(c, in.App, in.Name)
		})
	register(s, route{
		id: "set-cohort", method: http.MethodPut, path: path + "/{cohort}", action: "cohort.set", tag: tag,
		summary: "Make a cohort, or replace what it is: an expression or a list of custom ids",
	},
		func(c *call, in *cohortInput, body ota.CohortRequest) (ota.Cohort, error) {
			return s.deps.Control.SetCohort(c, c.actor, in.App, in.Name, body)
		})
	register(s, route{
		id: "delete-cohort", method: http.MethodDelete, path: path + "/{cohort}", action: "cohort.delete", tag: tag, status: http.StatusNoContent,
		summary: "Delete a cohort that no rollout and no other cohort names",
	},
		func(c *call, in *cohortInput, _ none) (none, error) {
			return none{}, s.deps.Control.DeleteCohort(c, c.actor, in.App, in.Name)
		})
}
