package authz

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/types"
	expast "github.com/cedar-policy/cedar-go/x/exp/ast"
	"github.com/cedar-policy/cedar-go/x/exp/schema"
	"github.com/cedar-policy/cedar-go/x/exp/schema/resolved"
	"github.com/cedar-policy/cedar-go/x/exp/schema/validate"
)

//go:embed policies/*.cedar policies/waxwing.cedarschema
var files embed.FS

const schemaFile = "policies/waxwing.cedarschema"

// rules are the policies, compiled and checked against the schema.
type rules struct {
	policies *cedar.PolicySet
	actions  map[string]resolved.Action // those that can be asked for, without the sets
	entities map[types.EntityUID]types.Entity
	order    []string // names of actions, as the matrix lists them
	pages    map[cedar.PolicyID]string
}

// load reads the policies. A policy that does not fit the schema is an error:
// it would silently never apply.
func load(from fs.FS) (*rules, error) {
	shape, err := loadSchema(from)
	if err != nil {
		return nil, err
	}
	r := &rules{
		policies: cedar.NewPolicySet(), actions: map[string]resolved.Action{},
		entities: map[types.EntityUID]types.Entity{}, pages: map[cedar.PolicyID]string{},
	}
	for uid, a := range shape.Actions {
		r.entities[uid] = a.Entity
		if a.AppliesTo != nil {
			r.actions[string(uid.ID)] = a
			r.order = append(r.order, string(uid.ID))
		}
	}
	slices.Sort(r.order)
	names, err := fs.Glob(from, "policies/*.cedar")
	if err != nil {
		return nil, fmt.Errorf("find policies: %w", err)
	}
	check := validate.New(shape)
	for _, name := range names {
		if err := r.add(from, name, check); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func loadSchema(from fs.FS) (*resolved.Schema, error) {
	text, err := fs.ReadFile(from, schemaFile)
	if err != nil {
		return nil, fmt.Errorf("read the schema: %w", err)
	}
	var s schema.Schema
	s.SetFilename(schemaFile)
	if err := s.UnmarshalCedar(text); err != nil {
		return nil, fmt.Errorf("parse the schema: %w", err)
	}
	shape, err := s.Resolve()
	if err != nil {
		return nil, fmt.Errorf("resolve the schema: %w", err)
	}
	return shape, nil
}

func (r *rules) add(from fs.FS, name string, check *validate.Validator) error {
	text, err := fs.ReadFile(from, name)
	if err != nil {
		return fmt.Errorf("read policies: %w", err)
	}
	list, err := cedar.NewPolicyListFromBytes(name, text)
	if err != nil {
		return fmt.Errorf("parse %s: %w", name, err)
	}
	for _, p := range list {
		id := cedar.PolicyID(p.Annotations()["id"])
		if id == "" || !r.policies.Add(id, p) {
			return fmt.Errorf("%s: every policy needs an @id of its own, not %q", name, id)
		}
		r.pages[id] = strings.TrimPrefix(path.Clean(name), "policies/")
		if err := check.Policy(string(id), (*expast.Policy)(p.AST())); err != nil {
			return fmt.Errorf("%s does not fit the schema: %w", name, err)
		}
	}
	return nil
}

// asked reports whether an action is asked about resources of the type.
func asked(a resolved.Action, t types.EntityType) bool {
	return slices.Contains(a.AppliesTo.Resources, t)
}

// inSet reports whether an action is in one of the schema's sets.
func inSet(a resolved.Action, set string) bool {
	return a.Entity.Parents.Contains(types.NewEntityUID(actionType, types.String(set)))
}
