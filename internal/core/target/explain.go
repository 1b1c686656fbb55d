package target

import (
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
)

// Explain implements [decide.Target]: the part of the expression that decided,
// and what the device tells of itself there.
func (m *Matcher) Explain(c *decide.Check) string {
	is := m.Match(c)
	text := "it is not for this device: "
	if is {
		text = "it is for this device: "
	}
	text += m.cohorts.why(m.expr.root, c, is)
	if len(text) > maxExplained {
		text = strings.ToValidUTF8(text[:maxExplained], "") + "..."
	}
	return text
}

// maxExplained bounds an explanation, in bytes.
const maxExplained = 600

// maxReasons bounds how many parts of an "or" are explained, and of an "and".
const maxReasons = 3

// why explains why n is what it is.
func (s *Cohorts) why(n *node, c *decide.Check, is bool) string {
	switch n.kind {
	case nodeAnd, nodeOr:
		// One part is enough to make an "and" false or an "or" true.
		if is == (n.kind == nodeOr) {
			for _, k := range n.kids {
				if s.match(k, c) == is {
					return s.why(k, c, is)
				}
			}
		}
		var parts []string
		for i, k := range n.kids {
			if i == maxReasons {
				parts = append(parts, "...")
				break
			}
			parts = append(parts, s.why(k, c, is))
		}
		return strings.Join(parts, ", and ")
	case nodeNot:
		return s.why(n.kids[0], c, !is)
	case nodeCohort:
		if h := s.byName[n.cohort]; h.expr != nil {
			return n.src + " " + verdict(is) + " (" + s.why(h.expr.root, c, is) + ")"
		}
		return n.src + " " + verdict(is) + " (its custom_id is " + fieldCustomID.told(c) + ")"
	}
	return n.src + " " + verdict(is) + " (it tells " + n.field.id.told(c) + ")"
}

func verdict(is bool) string {
	if is {
		return "holds"
	}
	return "does not hold"
}
