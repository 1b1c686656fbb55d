package authz

import (
	"github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/types"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// The types of the schema.
const (
	actionType  types.EntityType = "Action"
	roleType    types.EntityType = "Role"
	callerType  types.EntityType = "Caller"
	orgType     types.EntityType = "Org"
	appType     types.EntityType = "App"
	channelType types.EntityType = "Channel"
)

// The roles nobody is granted: they follow from holding another one on the
// resource or a part of it.
const (
	roleVisitor   ota.Role = "visitor"
	rolePublisher ota.Role = "publisher"
)

// attributes names the attribute of a resource for each role.
var attributes = [...]struct {
	name types.String
	role ota.Role
}{
	{"owner", ota.RoleOwner},
	{"administrator", ota.RoleAdministrator},
	{"releaseManager", ota.RoleReleaseManager},
	{"developer", ota.RoleDeveloper},
	{"tester", ota.RoleTester},
	{"viewer", ota.RoleViewer},
	{"auditor", ota.RoleAuditor},
	{"visitor", roleVisitor},
	{"publisher", rolePublisher},
}

// place is a resource whose organisation is known. The organisation of an app
// that does not exist is "", which nobody is in.
type place struct {
	ota.Scope
	public  bool // a public channel, or one that is not known
	missing bool // a channel that is not known
}

func (p place) uid() types.EntityUID {
	switch id := types.String(p.String()); {
	case p.App == "":
		return types.NewEntityUID(orgType, types.String(p.Org))
	case p.Channel == "":
		return types.NewEntityUID(appType, id)
	default:
		return types.NewEntityUID(channelType, id)
	}
}

func roleAt(r ota.Role, s ota.Scope) types.EntityUID {
	return types.NewEntityUID(roleType, types.String(string(r)+"@"+s.String()))
}

// world holds the entities that one decision needs. Those of actions are the
// same for all.
type world struct {
	actions map[types.EntityUID]types.Entity
	own     map[types.EntityUID]types.Entity
}

var _ cedar.EntityGetter = world{}

// Get implements [cedar.EntityGetter].
func (w world) Get(uid types.EntityUID) (types.Entity, bool) {
	if e, ok := w.own[uid]; ok {
		return e, true
	}
	e, ok := w.actions[uid]
	return e, ok
}

// worldOf builds the entities for a caller with grants, and a place.
func worldOf(actions map[types.EntityUID]types.Entity, caller types.EntityUID, kind ota.PrincipalKind, grants []ota.Grant, at place) world {
	w := world{actions: actions, own: make(map[types.EntityUID]types.Entity, 8)}
	w.addPlace(at)
	in := make([]types.EntityUID, 0, len(grants)+2)
	for _, g := range grants {
		if g.Covers(at.Scope) {
			in = append(in, roleAt(g.Role, g.Scope))
			w.addRole(g.Role, g.Scope, at.Scope)
		} else if !at.Contains(g.Scope) {
			continue // elsewhere
		}
		in = append(in, roleAt(roleVisitor, at.Scope))
		if at.App != "" && g.Role.Level() >= ota.RoleDeveloper.Level() {
			in = append(in, roleAt(rolePublisher, at.Scope))
		}
	}
	w.own[caller] = types.Entity{
		UID: caller, Parents: types.NewEntityUIDSet(in...),
		Attributes: types.NewRecord(types.RecordMap{"kind": types.String(kind)}),
	}
	return w
}

func (w world) addPlace(at place) {
	attrs := make(types.RecordMap, len(attributes)+1)
	for _, a := range attributes {
		attrs[a.name] = roleAt(a.role, at.Scope)
	}
	var above types.EntityUIDSet
	switch {
	case at.Channel != "":
		attrs["public"] = types.Boolean(at.public)
		above = types.NewEntityUIDSet(place{Scope: ota.Scope{Org: at.Org, App: at.App}}.uid())
	case at.App != "":
		above = types.NewEntityUIDSet(place{Scope: ota.Scope{Org: at.Org}}.uid())
	}
	w.own[at.uid()] = types.Entity{UID: at.uid(), Parents: above, Attributes: types.NewRecord(attrs)}
}

// addRole adds a role with the ones it implies on the way down to a scope.
func (w world) addRole(r ota.Role, from, to ota.Scope) {
	for from != to {
		next := from
		switch {
		case from.Org != to.Org: // an owner of the main organisation
			next = ota.Scope{Org: to.Org}
		case from.App == "":
			next.App = to.App
		default:
			next.Channel = to.Channel
		}
		uid := roleAt(r, from)
		w.own[uid] = types.Entity{UID: uid, Parents: types.NewEntityUIDSet(roleAt(r, next))}
		from = next
	}
}
