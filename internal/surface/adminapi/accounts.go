package adminapi

import (
	"net/http"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func (s *server) registerServiceAccounts() {
	const tag, one = "people", "/service-accounts/{id}"
	register(s, route{
		id: "list-service-accounts", method: http.MethodGet, path: "/service-accounts", action: "service_account.list", tag: tag, somewhere: true,
		summary: "List service accounts",
	},
		func(c *call, in *peopleInput, _ none) (list[ota.ServiceAccount], error) {
			return listOf(s.deps.Directory.ServiceAccounts(c, c.orgsAsked(in.Org), in.page()))
		})
	register(s, route{
		id: "create-service-account", method: http.MethodPost, path: "/service-accounts", action: "service_account.create", tag: tag,
		status: http.StatusCreated, somewhere: true, summary: "Create a service account, which holds no role yet",
	},
		func(c *call, _ *Request, body ota.NewServiceAccount) (ota.ServiceAccount, error) {
			if err := c.may("service_account.create", ota.Scope{Org: orgNamed(body.Org)}); err != nil {
				return ota.ServiceAccount{}, err
			}
			return s.deps.Directory.CreateServiceAccount(c, c.principal, body)
		})
	register(s, route{
		id: "get-service-account", method: http.MethodGet, path: one, action: "service_account.get", tag: tag, somewhere: true,
		summary: "Get a service account",
	},
		func(c *call, in *groupInput, _ none) (ota.ServiceAccount, error) { return s.accountInReach(c, in.ID) })
	register(s, route{
		id: "update-service-account", method: http.MethodPatch, path: one, action: "service_account.update", tag: tag, somewhere: true,
		summary: "Rename or disable a service account",
	},
		func(c *call, in *groupInput, body ota.ServicePatch) (ota.ServiceAccount, error) {
			if _, err := s.accountInReach(c, in.ID); err != nil {
				return ota.ServiceAccount{}, err
			}
			return s.deps.Directory.UpdateServiceAccount(c, c.principal, in.ID, body)
		})
	register(s, route{
		id: "delete-service-account", method: http.MethodDelete, path: one, action: "service_account.delete", tag: tag,
		status: http.StatusNoContent, somewhere: true, summary: "Delete a service account with its grants",
	},
		func(c *call, in *groupInput, _ none) (none, error) {
			if _, err := s.accountInReach(c, in.ID); err != nil {
				return none{}, err
			}
			return none{}, s.deps.Directory.DeleteServiceAccount(c, c.principal, in.ID)
		})
}

// accountInReach returns a service account; one that is out of the caller's
// reach is not there.
func (s *server) accountInReach(c *call, id int64) (ota.ServiceAccount, error) {
	a, err := s.deps.Directory.ServiceAccount(c, id)
	if err == nil && !c.reach.Contains(ota.Scope{Org: a.Org}) {
		return ota.ServiceAccount{}, ota.NotFound("service_account_not_found", "there is no service account %d", id)
	}
	return a, err
}
