package target

import (
	"slices"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// MaxCost bounds how many parts a check may have to look at, with every cohort
// counted each time it is named.
const MaxCost = 2000

// Cohorts are the cohorts of an app, ready to be named by targets.
type Cohorts struct {
	byName map[string]*cohort
}

// cohort is an expression, or a list of custom ids.
type cohort struct {
	name string
	expr *Expr    // nil = a list
	ids  []string // sorted
	cost int
}

// NewCohorts reads the cohorts of an app. It refuses one that is no expression,
// names one that is not there, leads back to itself, or costs too much.
func NewCohorts(list []ota.Cohort) (*Cohorts, error) {
	s := &Cohorts{byName: make(map[string]*cohort, len(list))}
	for i := range list {
		c := &cohort{name: list[i].Name}
		if list[i].Expr != "" {
			e, err := Parse(list[i].Expr)
			if err != nil {
				return nil, err
			}
			c.expr = e
		} else {
			c.ids = slices.Clone(list[i].CustomIDs)
			slices.Sort(c.ids)
			c.ids = slices.Compact(c.ids)
		}
		s.byName[c.name] = c
	}
	var path []string
	for i := range list {
		if _, err := s.costOf(list[i].Name, &path); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// costOf counts the parts of a cohort; path are those it was reached through.
func (s *Cohorts) costOf(name string, path *[]string) (int, error) {
	c := s.byName[name]
	switch {
	case c == nil:
		return 0, ota.Invalid(CodeCohortUnknown, "there is no cohort %q", name).WithField("target").
			WithHint("make it first: waxwing cohorts set %s", name)
	case slices.Contains(*path, name):
		return 0, ota.Invalid(CodeCohortCycle, "cohorts lead in a circle: %s", strings.Join(append(*path, name), " → ")).WithField("target")
	case c.cost != 0:
		return c.cost, nil
	case c.expr == nil:
		c.cost = 1
		return 1, nil
	}
	*path = append(*path, name)
	cost, err := s.cost(c.expr, path)
	*path = (*path)[:len(*path)-1]
	c.cost = cost
	return cost, err
}

func (s *Cohorts) cost(e *Expr, path *[]string) (cost int, err error) {
	e.root.each(func(n *node) {
		more := 1
		if n.kind == nodeCohort && err == nil {
			more, err = s.costOf(n.cohort, path)
		}
		cost += more
	})
	if err == nil && cost > MaxCost {
		err = ota.Invalid(CodeTooLarge, "with its cohorts the target has %d parts, at most %d are possible", cost, MaxCost).WithField("target")
	}
	return cost, err
}

// Uses lists the cohorts that an expression names, directly or through others,
// sorted. Those that are not there are left out.
func (s *Cohorts) Uses(e *Expr) []string {
	seen := map[string]bool{}
	var walk func(e *Expr)
	walk = func(e *Expr) {
		for _, name := range e.Cohorts() {
			if c := s.byName[name]; c != nil && !seen[name] {
				seen[name] = true
				if c.expr != nil {
					walk(c.expr)
				}
			}
		}
	}
	walk(e)
	out := make([]string, 0, len(seen))
	for name := range seen {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// Compile reads an expression that may name the cohorts.
func (s *Cohorts) Compile(src string) (*Matcher, error) {
	e, err := Parse(src)
	if err != nil {
		return nil, err
	}
	var path []string
	if _, err := s.cost(e, &path); err != nil {
		return nil, err
	}
	return &Matcher{expr: e, cohorts: s}, nil
}

// Matcher is a compiled target. It is immutable.
type Matcher struct {
	expr    *Expr
	cohorts *Cohorts
}

var _ decide.Target = (*Matcher)(nil)

// Match implements [decide.Target]; it allocates nothing.
func (m *Matcher) Match(c *decide.Check) bool { return m.cohorts.match(m.expr.root, c) }

func (s *Cohorts) match(n *node, c *decide.Check) bool {
	switch n.kind {
	case nodeAnd:
		for _, k := range n.kids {
			if !s.match(k, c) {
				return false
			}
		}
		return true
	case nodeOr:
		for _, k := range n.kids {
			if s.match(k, c) {
				return true
			}
		}
		return false
	case nodeNot:
		return !s.match(n.kids[0], c)
	case nodeCompare:
		return n.compare(c)
	case nodeIn:
		return n.in(c)
	case nodeFlag:
		return n.field.id.flag(c)
	}
	return s.byName[n.cohort].match(s, c)
}

func (h *cohort) match(s *Cohorts, c *decide.Check) bool {
	if h.expr != nil {
		return s.match(h.expr.root, c)
	}
	if c.CustomID == "" {
		return false
	}
	_, in := slices.BinarySearch(h.ids, c.CustomID)
	return in
}

// Nobody matches no device: what stands in for a target that cannot be compiled.
type Nobody struct{ Why string }

// Match implements [decide.Target].
func (Nobody) Match(*decide.Check) bool { return false }

// Explain implements [decide.Target].
func (n Nobody) Explain(*decide.Check) string {
	return "the target cannot be used, so it is for nobody: " + n.Why
}
