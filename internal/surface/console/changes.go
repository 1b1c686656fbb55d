package console

import "github.com/waxwing-ota/waxwing/internal/core/ota"

type changesView struct {
	Changes []ota.Change
	Next    string
}

func (c *Console) registerChanges() {
	c.page(route{method: "GET", path: "/apps/{app}/changes", action: "change.list"}, c.showChanges)
}

func (c *Console) showChanges(r *request) (answer, error) {
	changes, next, err := r.api.Changes(r, r.app(), r.listPage())
	return r.show("changes", "Record of changes", changesView{changes, next}), err
}
