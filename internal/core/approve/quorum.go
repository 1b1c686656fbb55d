package approve

import "slices"

// Circle is a person with everybody who could act as them: who invited them or
// made their account, who reset how they sign in, and on upwards. Unknown says
// that a machine did which nobody is known to be behind.
type Circle struct {
	Person  int64
	Above   []int64
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
// nobody knows who asked, since that may be one of them.
func Need(required int, authors []Circle) int {
	if len(authors) == 0 {
		return required + 1
	}
	return required
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
