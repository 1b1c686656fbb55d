package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func num(id int64) string { return strconv.FormatInt(id, 10) }

// ofOrg is the query for what belongs to an organisation; "" = all.
func ofOrg(org string) url.Values {
	if org == "" {
		return nil
	}
	return url.Values{"org": {org}}
}

// UserDetail is a user with what the caller may see of their roles.
type UserDetail struct {
	ota.User
	Groups []ota.Group     `json:"groups"`
	Grants []ota.RoleGrant `json:"grants"`
}

// Orgs lists the organisations in which the caller holds a role.
func (c *Client) Orgs(ctx context.Context, page ota.Page) ([]ota.Org, string, error) {
	return getList[ota.Org](ctx, c, page, nil, "orgs")
}

// Org returns an organisation.
func (c *Client) Org(ctx context.Context, id string) (ota.Org, error) {
	return get[ota.Org](ctx, c, "orgs", id)
}

// CreateOrg creates an organisation.
func (c *Client) CreateOrg(ctx context.Context, in ota.NewOrg) (ota.Org, error) {
	return send[ota.Org](ctx, c, http.MethodPost, in, "orgs")
}

// UpdateOrg changes an organisation.
func (c *Client) UpdateOrg(ctx context.Context, id string, in ota.OrgPatch) (ota.Org, error) {
	return send[ota.Org](ctx, c, http.MethodPatch, in, "orgs", id)
}

// DeleteOrg deletes an organisation that has no apps.
func (c *Client) DeleteOrg(ctx context.Context, id string) error {
	return remove(ctx, c, nil, "orgs", id)
}

// Users lists users, of an organisation or all that the caller may see.
func (c *Client) Users(ctx context.Context, org string, page ota.Page) ([]ota.User, string, error) {
	return getList[ota.User](ctx, c, page, ofOrg(org), "users")
}

// UserByEmail returns the user with a mail address. It fails with KindNotFound if
// there is none that the caller may see.
func (c *Client) UserByEmail(ctx context.Context, email string) (ota.User, error) {
	found, _, err := getList[ota.User](ctx, c, ota.Page{Limit: 1}, url.Values{"email": {email}}, "users")
	if err == nil && len(found) == 0 {
		err = ota.NotFound("user_not_found", "there is no user %q", email).WithHint("waxwing users list shows who is there")
	}
	if err != nil {
		return ota.User{}, err
	}
	return found[0], nil
}

// User returns a user with groups and grants.
func (c *Client) User(ctx context.Context, id int64) (UserDetail, error) {
	return get[UserDetail](ctx, c, "users", num(id))
}

// CreateUser adds a user with a first role.
func (c *Client) CreateUser(ctx context.Context, in ota.NewUser) (ota.User, error) {
	return send[ota.User](ctx, c, http.MethodPost, in, "users")
}

// UpdateUser changes or disables a user.
func (c *Client) UpdateUser(ctx context.Context, id int64, in ota.UserPatch) (ota.User, error) {
	return send[ota.User](ctx, c, http.MethodPatch, in, "users", num(id))
}

// Groups lists groups, of an organisation or all that the caller may see.
func (c *Client) Groups(ctx context.Context, org string, page ota.Page) ([]ota.Group, string, error) {
	return getList[ota.Group](ctx, c, page, ofOrg(org), "groups")
}

// Group returns a group.
func (c *Client) Group(ctx context.Context, id int64) (ota.Group, error) {
	return get[ota.Group](ctx, c, "groups", num(id))
}

// CreateGroup creates a group.
func (c *Client) CreateGroup(ctx context.Context, in ota.NewGroup) (ota.Group, error) {
	return send[ota.Group](ctx, c, http.MethodPost, in, "groups")
}

// UpdateGroup renames a group.
func (c *Client) UpdateGroup(ctx context.Context, id int64, in ota.GroupPatch) (ota.Group, error) {
	return send[ota.Group](ctx, c, http.MethodPatch, in, "groups", num(id))
}

// DeleteGroup deletes a group with what was granted to it.
func (c *Client) DeleteGroup(ctx context.Context, id int64) error {
	return remove(ctx, c, nil, "groups", num(id))
}

// Members lists who is in a group.
func (c *Client) Members(ctx context.Context, group int64, page ota.Page) ([]ota.Member, string, error) {
	return getList[ota.Member](ctx, c, page, nil, "groups", num(group), "members")
}

// AddMember puts a user into a group.
func (c *Client) AddMember(ctx context.Context, group, user int64) error {
	_, err := c.do(ctx, call{method: http.MethodPut, path: []string{"groups", num(group), "members", num(user)}})
	return err
}

// RemoveMember takes a user out of a group.
func (c *Client) RemoveMember(ctx context.Context, group, user int64) error {
	return remove(ctx, c, nil, "groups", num(group), "members", num(user))
}

// ServiceAccounts lists service accounts, of an organisation or all that the caller may see.
func (c *Client) ServiceAccounts(ctx context.Context, org string, page ota.Page) ([]ota.ServiceAccount, string, error) {
	return getList[ota.ServiceAccount](ctx, c, page, ofOrg(org), "service-accounts")
}

// ServiceAccount returns a service account.
func (c *Client) ServiceAccount(ctx context.Context, id int64) (ota.ServiceAccount, error) {
	return get[ota.ServiceAccount](ctx, c, "service-accounts", num(id))
}

// CreateServiceAccount creates a service account.
func (c *Client) CreateServiceAccount(ctx context.Context, in ota.NewServiceAccount) (ota.ServiceAccount, error) {
	return send[ota.ServiceAccount](ctx, c, http.MethodPost, in, "service-accounts")
}

// UpdateServiceAccount renames or disables a service account.
func (c *Client) UpdateServiceAccount(ctx context.Context, id int64, in ota.ServicePatch) (ota.ServiceAccount, error) {
	return send[ota.ServiceAccount](ctx, c, http.MethodPatch, in, "service-accounts", num(id))
}

// DeleteServiceAccount deletes a service account with its grants.
func (c *Client) DeleteServiceAccount(ctx context.Context, id int64) error {
	return remove(ctx, c, nil, "service-accounts", num(id))
}

// Grants lists who holds which role where.
func (c *Client) Grants(ctx context.Context, org string, page ota.Page) ([]ota.RoleGrant, string, error) {
	return getList[ota.RoleGrant](ctx, c, page, ofOrg(org), "grants")
}

// GrantsOf lists what was given to a user, group or service account itself.
func (c *Client) GrantsOf(ctx context.Context, kind ota.SubjectKind, id int64) ([]ota.RoleGrant, error) {
	q := url.Values{"subject_kind": {string(kind)}, "subject_id": {num(id)}}
	items, _, err := getList[ota.RoleGrant](ctx, c, ota.Page{}, q, "grants")
	return items, err
}

// Grant returns one grant.
func (c *Client) Grant(ctx context.Context, id int64) (ota.RoleGrant, error) {
	return get[ota.RoleGrant](ctx, c, "grants", num(id))
}

// CreateGrant gives a role to a user, group or service account.
func (c *Client) CreateGrant(ctx context.Context, in ota.NewGrant) (ota.RoleGrant, error) {
	return send[ota.RoleGrant](ctx, c, http.MethodPost, in, "grants")
}

// DeleteGrant takes a role away.
func (c *Client) DeleteGrant(ctx context.Context, id int64) error {
	return remove(ctx, c, nil, "grants", num(id))
}

// AccessMatrix lists what each role may do.
func (c *Client) AccessMatrix(ctx context.Context) ([]ota.MatrixRow, error) {
	items, _, err := getList[ota.MatrixRow](ctx, c, ota.Page{}, nil, "access", "matrix")
	return items, err
}

// ExplainAccess says whether a user ("" = the caller) may do an action to a
// resource such as main/com.example.app/beta, and why.
func (c *Client) ExplainAccess(ctx context.Context, user, action, resource string) (ota.Decision, error) {
	in := struct {
		User     string `json:"user,omitempty"`
		Action   string `json:"action"`
		Resource string `json:"resource"`
	}{user, action, resource}
	return send[ota.Decision](ctx, c, http.MethodPost, in, "access", "explain")
}
