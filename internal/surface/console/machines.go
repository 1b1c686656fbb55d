package console

import (
	"strconv"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

type machinesView struct {
	Accounts []ota.ServiceAccount
	Next     string
	Orgs     []ota.Org
}

type machineView struct {
	Account ota.ServiceAccount
	Grants  []ota.RoleGrant
	Roles   []ota.Role
	Tokens  []ota.Token
	Sees    bool // the visitor may see its tokens
}

func (c *Console) registerMachines() {
	const all, one = "/people/machines", "/people/machines/{machine}"
	c.page(route{method: "GET", path: all, action: "service_account.list", somewhere: true}, c.showMachines)
	c.act(route{method: "POST", path: all, action: "service_account.create", somewhere: true}, c.createMachine, c.showMachines)
	c.page(route{method: "GET", path: one, action: "service_account.get", somewhere: true}, c.showMachine)
	c.act(route{method: "POST", path: one + "/enable", action: "service_account.update", somewhere: true}, c.enableMachine, c.showMachine)
	c.confirmed(route{path: one + "/disable", action: "service_account.update", somewhere: true}, c.askDisableMachine, c.disableMachine)
	c.confirmed(route{path: one + "/delete", action: "service_account.delete", somewhere: true}, c.askDeleteMachine, c.deleteMachine)
}

func (c *Console) showMachines(r *request) (answer, error) {
	v := machinesView{}
	var err error
	if v.Accounts, v.Next, err = r.api.ServiceAccounts(r, r.query("org"), r.listPage()); err != nil {
		return answer{}, err
	}
	v.Orgs, _, err = r.api.Orgs(r, ota.Page{Limit: 200})
	return r.show("machines", "Service accounts", v), err
}

func (c *Console) createMachine(r *request) (answer, error) {
	a, err := r.api.CreateServiceAccount(r, ota.NewServiceAccount{Org: r.text("org"), Name: r.text("name")})
	return r.done("machine_created", machinePage(a.ID)...), err
}

func machinePage(id int64) []string { return []string{"people", "machines", strconv.FormatInt(id, 10)} }

func (r *request) machine() (ota.ServiceAccount, error) {
	id, err := r.id("machine")
	if err != nil {
		return ota.ServiceAccount{}, err
	}
	return r.api.ServiceAccount(r, id)
}

func (c *Console) showMachine(r *request) (answer, error) {
	v := machineView{Roles: ota.Roles()}
	var err error
	if v.Account, err = r.machine(); err != nil {
		return answer{}, err
	}
	if v.Grants, err = grantsOf(r, ota.SubjectService, v.Account.ID); err != nil {
		return answer{}, err
	}
	v.Tokens, _, err = r.api.Tokens(r, ota.TokenFilter{Service: v.Account.Name, Org: v.Account.Org}, ota.Page{Limit: 200})
	if v.Sees = err == nil; err != nil && ota.KindOf(err) != ota.KindForbidden && ota.KindOf(err) != ota.KindNotFound {
		return answer{}, err
	}
	return r.show("machine", v.Account.Name, v), nil
}

func (c *Console) setMachine(r *request, disabled bool) (int64, error) {
	id, err := r.id("machine")
	if err == nil {
		_, err = r.api.UpdateServiceAccount(r, id, ota.ServicePatch{Disabled: &disabled})
	}
	return id, err
}

func (c *Console) enableMachine(r *request) (answer, error) {
	id, err := c.setMachine(r, false)
	return r.done("machine_enabled", machinePage(id)...), err
}

func (c *Console) askDisableMachine(r *request) (confirmView, error) {
	a, err := r.machine()
	return confirmView{
		Heading: "Disable a service account", Facts: [][2]string{{"Service account", a.Name}}, Button: "Disable", Back: address(machinePage(a.ID)...),
		What: []string{"Its tokens stop working at once: what runs with them fails.", "Enabling it again gives all back."},
	}, err
}

func (c *Console) disableMachine(r *request) (answer, error) {
	id, err := c.setMachine(r, true)
	return r.done("machine_disabled", machinePage(id)...), err
}

func (c *Console) askDeleteMachine(r *request) (confirmView, error) {
	a, err := r.machine()
	return confirmView{
		Heading: "Delete a service account", Facts: [][2]string{{"Service account", a.Name}}, Button: "Delete", Back: address(machinePage(a.ID)...),
		What: []string{"Its roles and tokens are gone for good.", "Requests for approval that it made stay, with nobody known behind them."},
	}, err
}

func (c *Console) deleteMachine(r *request) (answer, error) {
	id, err := r.id("machine")
	if err == nil {
		err = r.api.DeleteServiceAccount(r, id)
	}
	return r.done("machine_deleted", "people", "machines"), err
}
