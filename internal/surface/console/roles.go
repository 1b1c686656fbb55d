package console

import "github.com/waxwing-ota/waxwing/internal/core/ota"

type rolesView struct {
	Roles  []ota.Role
	Groups []matrixGroup
}

// matrixGroup is the actions on one noun.
type matrixGroup struct {
	Noun string
	Rows []ota.MatrixRow
}

type explainView struct {
	User, Action, Resource string
	Others                 bool // the visitor may ask about others
	Actions                []string
	Decision               *ota.Decision
}

func (c *Console) registerRoles() {
	c.page(route{method: "GET", path: "/people/roles", action: "access.matrix", somewhere: true}, c.showRoles)
	c.page(route{method: "GET", path: "/people/explain", action: "access.ask", somewhere: true}, c.explainAccess)
}

func (c *Console) showRoles(r *request) (answer, error) {
	rows, err := r.api.AccessMatrix(r)
	if err != nil {
		return answer{}, err
	}
	return r.show("roles", "Roles", rolesView{ota.Roles(), matrixGroups(rows)}), nil
}

func (c *Console) explainAccess(r *request) (answer, error) {
	v := explainView{User: r.query("user"), Action: r.query("action"), Resource: r.query("resource"), Others: r.mayAnywhere("access.explain")}
	rows, err := r.api.AccessMatrix(r)
	if err != nil {
		return answer{}, err
	}
	for _, row := range rows {
		v.Actions = append(v.Actions, row.Action)
	}
	if v.Action == "" {
		v.Resource = ota.MainOrg
		return r.show("explain", "Explain access", v), nil
	}
	d, err := r.api.ExplainAccess(r, v.User, v.Action, v.Resource)
	if err != nil {
		if leads(err) {
			return answer{}, err
		}
		r.problem = asProblem(err)
		a := r.show("explain", "Explain access", v)
		a.status = statusOf(r.problem.Kind)
		return a, nil
	}
	v.Decision = &d
	return r.show("explain", "Explain access", v), nil
}
