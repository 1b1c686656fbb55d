package directory

import (
	"context"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Reader is what can be read, within a transaction or outside. What is not
// there is an error of KindNotFound. Pages are newest first. Where a list takes
// orgs, it is of those organisations only; nil = of all.
type Reader interface {
	Org(ctx context.Context, id string) (ota.Org, error)
	Orgs(ctx context.Context, only []string, p ota.Page) ([]ota.Org, string, error)
	OrgHasApps(ctx context.Context, id string) (bool, error)
	App(ctx context.Context, id string) (ota.App, error)
	Channel(ctx context.Context, app, name string) (ota.Channel, error)

	User(ctx context.Context, id int64) (ota.User, error)
	UserByEmail(ctx context.Context, email string) (ota.User, error)
	Users(ctx context.Context, p ota.Page) ([]ota.User, string, error)
	// UsersOf lists those who hold a role or are in a group of one of the orgs.
	UsersOf(ctx context.Context, orgs []string, p ota.Page) ([]ota.User, string, error)
	OrgsOfUser(ctx context.Context, id int64) ([]string, error)

	Group(ctx context.Context, id int64) (ota.Group, error)
	GroupByName(ctx context.Context, org, name string) (ota.Group, error)
	Groups(ctx context.Context, orgs []string, p ota.Page) ([]ota.Group, string, error)
	GroupsOf(ctx context.Context, userID int64) ([]ota.Group, error)
	Members(ctx context.Context, groupID int64, p ota.Page) ([]ota.Member, string, error)

	ServiceAccount(ctx context.Context, id int64) (ota.ServiceAccount, error)
	ServiceAccountByName(ctx context.Context, org, name string) (ota.ServiceAccount, error)
	ServiceAccounts(ctx context.Context, orgs []string, p ota.Page) ([]ota.ServiceAccount, string, error)

	Grant(ctx context.Context, id int64) (ota.RoleGrant, error)
	Grants(ctx context.Context, in ota.Reach, p ota.Page) ([]ota.RoleGrant, string, error)
	GrantsOf(ctx context.Context, kind ota.SubjectKind, id int64) ([]ota.RoleGrant, error)
	GrantsIn(ctx context.Context, org string) ([]ota.RoleGrant, error)
	// HeldGrants are a subject's own and those of a user's groups, disabled or not.
	HeldGrants(ctx context.Context, kind ota.SubjectKind, id int64) ([]ota.RoleGrant, error)
	// EffectiveGrants are the same without duplicates; a disabled subject has none.
	EffectiveGrants(ctx context.Context, kind ota.SubjectKind, id int64) ([]ota.Grant, error)
	// DirectOwners are the enabled users who own the main organisation by a
	// grant to themselves.
	DirectOwners(ctx context.Context) ([]int64, error)
}

// Tx is a transaction that writes. Inserts return the row with its id.
type Tx interface {
	Reader

	InsertOrg(ctx context.Context, o ota.Org) error
	UpdateOrg(ctx context.Context, o ota.Org) error
	DeleteOrg(ctx context.Context, id string) error

	InsertUser(ctx context.Context, u ota.User) (ota.User, error)
	UpdateUser(ctx context.Context, u ota.User) error

	InsertGroup(ctx context.Context, g ota.Group) (ota.Group, error)
	UpdateGroup(ctx context.Context, g ota.Group) error
	DeleteGroup(ctx context.Context, id int64) error
	// AddMember does nothing if the user is in the group.
	AddMember(ctx context.Context, groupID, userID int64, source string) error
	RemoveMember(ctx context.Context, groupID, userID int64) error

	InsertServiceAccount(ctx context.Context, a ota.ServiceAccount) (ota.ServiceAccount, error)
	UpdateServiceAccount(ctx context.Context, a ota.ServiceAccount) error
	DeleteServiceAccount(ctx context.Context, id int64) error

	InsertGrant(ctx context.Context, g ota.RoleGrant) (ota.RoleGrant, error)
	DeleteGrant(ctx context.Context, id int64) error
}

// Store is the database.
type Store interface {
	Reader

	// Update runs fn in a transaction and commits what it wrote together with
	// the Change it returns, stamped with actor and at. A Change without an
	// action means that nothing is to be changed: the transaction is rolled back.
	Update(ctx context.Context, actor ota.Actor, at int64, fn func(Tx) (ota.Change, error)) error
}
