package approve

import "slices"

// Circle is a person with everybody who could act as them by the rule that
// holds: who reset how they sign in or made the machine that made their account,
// and on upwards; where approvers must be independent also who invited them.
// Unknown says that a machine did which nobody is known to be behind. Wide has
// those who invited them in any case.
type Circle struct {
	Person  int64
	Above   []int64
	Wide    []int64
	Unknown bool
}

// Related reports whether one person may be behind both circles: one is above
// the other, or somebody is above both. Who invited two people has held the
// links that make both accounts.
func Related(a, b Circle) bool {
	for _, p := range append(slices.Clone(a.Above), a.Person) {
		if p == b.Person || slices.Contains(b.Above, p) {
			return true
		}
	}
	return false
}

// Refusal says why a person's approval does not count.
type Refusal string

// The refusals; "" = it counts.
const (
	RefusedNobody     Refusal = "nobody"      // no person is behind the vote
	RefusedAuthor     Refusal = "author"      // they asked for it
	RefusedRelated    Refusal = "related"     // they and the author may be one person
	RefusedUnknown    Refusal = "unknown"     // an unknown machine made their account
	RefusedNotAllowed Refusal = "not_allowed" // they may not approve there, or not any more
	RefusedTwice      Refusal = "twice"       // they, or somebody related, are counted already
)

// Voter is somebody who approved, as they stand now.
type Voter struct {
	Circle
	May bool // approve, on every channel concerned
}

// Need is how many people must approve: what the policy says, and one more if
// somebody unknown may have asked, since that may be one of them. An author whose
// account somebody unknown made or reset is as good as unknown.
func Need(required int, authors []Circle, unknown bool) int {
	if unknown || slices.ContainsFunc(authors, func(c Circle) bool { return c.Unknown }) {
		return required + 1
	}
	return required
}

// Relation says how an invitation ties a voter who counts to the author or to
// another one who counts; "" = it does not.
func Relation(authors []Circle, counted []Voter, v Voter) string {
	for _, a := range authors {
		if how := tie(a, v.Circle, "the author"); how != "" {
			return how
		}
	}
	for _, c := range counted {
		if how := tie(c.Circle, v.Circle, "another approver"); how != "" {
			return how
		}
	}
	return ""
}

// tie says how v stands to o by invitations.
func tie(o, v Circle, name string) string {
	switch {
	case slices.Contains(v.Wide, o.Person):
		return "invited by " + name
	case slices.Contains(o.Wide, v.Person):
		return "invited " + name
	case slices.ContainsFunc(v.Wide, func(p int64) bool { return slices.Contains(o.Wide, p) }):
		return "invited by the same person as " + name
	}
	return ""
}

// Judge says whether a voter counts besides those counted before.
func Judge(authors []Circle, counted []Voter, v Voter) Refusal {
	switch {
	case v.Person <= 0:
		return RefusedNobody
	case v.Unknown:
		return RefusedUnknown
	case !v.May:
		return RefusedNotAllowed
	}
	for _, a := range authors {
		if a.Person == v.Person {
			return RefusedAuthor
		}
		if Related(a, v.Circle) {
			return RefusedRelated
		}
	}
	for _, c := range counted {
		if Related(c.Circle, v.Circle) {
			return RefusedTwice
		}
	}
	return ""
}

// Count returns the voters that count, in their order.
func Count(authors []Circle, voters []Voter) []Voter {
	var counted []Voter
	for _, v := range voters {
		if Judge(authors, counted, v) == "" {
			counted = append(counted, v)
		}
	}
	return counted
}
