package console

import (
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

type cohortsView struct{ Cohorts []ota.Cohort }

func (c *Console) registerCohorts() {
	const list = "/apps/{app}/cohorts"
	c.page(route{method: "GET", path: list, action: "cohort.list"}, c.showCohorts)
	c.act(route{method: "POST", path: list, action: "cohort.set"}, c.setCohort, c.showCohorts)
	c.act(route{method: "POST", path: list + "/delete", action: "cohort.delete"}, c.deleteCohort, c.showCohorts)
}

func (c *Console) showCohorts(r *request) (answer, error) {
	list, err := r.api.Cohorts(r, r.app())
	return r.show("cohorts", "Cohorts", cohortsView{list}), err
}

func (c *Console) setCohort(r *request) (answer, error) {
	in := ota.CohortRequest{Expr: r.text("expression"), Note: r.text("note")}
	for line := range strings.Lines(r.text("custom_ids")) {
		if id := strings.TrimSpace(line); id != "" {
			in.CustomIDs = append(in.CustomIDs, id)
		}
	}
	_, err := r.api.SetCohort(r, r.app(), r.text("name"), in)
	return r.done("cohort_set", "apps", r.app(), "cohorts"), err
}

func (c *Console) deleteCohort(r *request) (answer, error) {
	err := r.api.DeleteCohort(r, r.app(), r.text("name"))
	return r.done("cohort_deleted", "apps", r.app(), "cohorts"), err
}
