package control

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/waxwing-ota/waxwing/internal/core/approve"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// maxCircle bounds how many people are looked at above somebody.
const maxCircle = 1000

// authors finds the people behind a request: who makes it, and who made the
// credential that is used or was shown it, or else who made the machine. unknown
// says that somebody else may be behind it whom nobody can name; without people
// that is so in any case.
func (s *Service) authors(ctx context.Context, r Reader, p ota.Principal) (out []int64, unknown bool, err error) {
	out = []int64{}
	if p.Person != 0 {
		out = append(out, p.Person)
	}
	var people []int64
	if p.Token != nil {
		made, err := r.TokenMakers(ctx, p.Token.ID)
		if err != nil {
			return nil, false, err
		}
		if people, unknown, err = behind(ctx, r, made); err != nil {
			return nil, false, err
		}
	}
	if len(people) == 0 && (p.Kind == ota.PrincipalService || p.Kind == ota.PrincipalCI) {
		var lost bool
		if people, lost, err = behind(ctx, r, []ota.Actor{p.Actor()}); err != nil {
			return nil, false, err
		}
		unknown = unknown || lost
	}
	for _, id := range people {
		if !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out, unknown || len(out) == 0, nil
}

// behind follows actors to the people who made them. unknown says that one of
// them leads to nobody who is known.
func behind(ctx context.Context, r Reader, actors []ota.Actor) (people []int64, unknown bool, err error) {
	seen := map[ota.Actor]bool{}
	for len(actors) > 0 {
		a := actors[0]
		actors = actors[1:]
		if seen[a] || a == "" {
			continue
		}
		if seen[a] = true; len(seen) > maxCircle {
			return people, true, nil
		}
		m, err := r.Makers(ctx, a)
		if err != nil {
			return nil, false, err
		}
		unknown = unknown || m.Unknown
		people = append(people, m.People...)
		actors = append(actors, m.Actors...)
	}
	return people, unknown, nil
}

// circle finds everybody who could act as a person, by the rule that holds, and
// those whom invitations tie them to besides.
func (s *Service) circle(ctx context.Context, r Reader, person int64, independent bool) (approve.Circle, error) {
	c := approve.Circle{Person: person}
	var err error
	if c.Above, c.Unknown, err = above(ctx, r, person, independent); err != nil {
		return c, err
	}
	if c.Wide = c.Above; !independent {
		c.Wide, _, err = above(ctx, r, person, true)
	}
	return c, err
}

// above follows who held a person's credentials, and if asked who invited them,
// upwards.
func above(ctx context.Context, r Reader, person int64, invited bool) (people []int64, unknown bool, err error) {
	queue := []int64{person}
	for len(queue) > 0 {
		m, err := r.UserMakers(ctx, queue[0])
		if err != nil {
			return nil, false, err
		}
		queue = queue[1:]
		sides := []Makers{m.Held}
		if invited {
			sides = append(sides, m.Invited)
		}
		for _, side := range sides {
			found, lost, err := behind(ctx, r, side.Actors)
			if err != nil {
				return nil, false, err
			}
			unknown = unknown || lost || side.Unknown
			for _, p := range append(found, side.People...) {
				if p != person && !slices.Contains(people, p) {
					people = append(people, p)
					queue = append(queue, p)
				}
			}
		}
		if len(people) > maxCircle {
			return people, true, nil
		}
	}
	return people, unknown, nil
}

func (s *Service) circles(ctx context.Context, r Reader, people []int64, independent bool) ([]approve.Circle, error) {
	out := make([]approve.Circle, len(people))
	for i, p := range people {
		var err error
		if out[i], err = s.circle(ctx, r, p, independent); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// ownToken fails if somebody else than the person was shown the token that is used.
func ownToken(ctx context.Context, r Reader, p ota.Principal) error {
	if p.Token == nil {
		return nil
	}
	made, err := r.TokenMakers(ctx, p.Token.ID)
	if err != nil {
		return err
	}
	people, unknown, err := behind(ctx, r, made)
	if err == nil && (unknown || slices.ContainsFunc(people, func(id int64) bool { return id != p.Person })) {
		err = refusal(approve.RefusedNobody)
	}
	return err
}

// voter finds how a person stands to a request now.
func (s *Service) voter(ctx context.Context, r Reader, a *ota.Approval, person int64) (approve.Voter, error) {
	c, err := s.circle(ctx, r, person, a.Independent)
	if err != nil {
		return approve.Voter{}, err
	}
	v := approve.Voter{Circle: c}
	channels, err := protectsOf(a)
	if err != nil {
		return v, err
	}
	v.May = len(channels) > 0 && s.mayApprove != nil
	for _, name := range channels {
		if !v.May {
			break
		}
		if v.May, err = s.mayApprove(ctx, person, a.App, name); err != nil {
			return v, err
		}
	}
	return v, nil
}

// protectsOf names the protected channels that a request is about.
func protectsOf(a *ota.Approval) ([]string, error) {
	var d struct {
		Protects []approve.Guarded `json:"protects"`
	}
	if err := json.Unmarshal(a.Document, &d); err != nil {
		return nil, err
	}
	names := make([]string, len(d.Protects))
	for i, p := range d.Protects {
		names[i] = p.Name
	}
	return names, nil
}

// tally is how the votes on a request stand, with that of a new voter if it counts.
type tally struct {
	have    int
	refused approve.Refusal // why the new voter does not count
	related string          // how an invitation ties them to others
}

// count judges a new voter (0 = none) and counts all that voted.
func (s *Service) count(ctx context.Context, r Reader, a *ota.Approval, voter int64) (tally, error) {
	authors, counted, err := s.counted(ctx, r, a, voter)
	n := tally{have: len(counted)}
	if err != nil || voter == 0 {
		return n, err
	}
	w, err := s.voter(ctx, r, a, voter)
	if err != nil {
		return n, err
	}
	if n.refused = approve.Judge(authors, counted, w); n.refused == "" {
		n.have++
		n.related = approve.Relation(authors, counted, w)
	}
	return n, nil
}

// counted finds the circles of the authors, and the voters that count but for one.
func (s *Service) counted(ctx context.Context, r Reader, a *ota.Approval, without int64) ([]approve.Circle, []approve.Voter, error) {
	authors, err := s.circles(ctx, r, a.Authors, a.Independent)
	if err != nil {
		return nil, nil, err
	}
	var voters []approve.Voter
	for _, v := range a.Votes {
		if v.Person == without {
			continue
		}
		w, err := s.voter(ctx, r, a, v.Person)
		if err != nil {
			return nil, nil, err
		}
		voters = append(voters, w)
	}
	return authors, approve.Count(authors, voters), nil
}

// refusal explains why a person's approval does not count.
func refusal(r approve.Refusal) error {
	switch r {
	case approve.RefusedNobody:
		return ota.Errorf(ota.KindForbidden, CodeApprovalPerson, "only people approve; no person, or more than one, may be behind this request").
			WithHint("sign in to the console, or use a token of your own")
	case approve.RefusedAuthor:
		return ota.Errorf(ota.KindForbidden, CodeApprovalOwn, "who asks for something does not approve it").
			WithHint("somebody else must look at it")
	case approve.RefusedRelated:
		return ota.Errorf(ota.KindForbidden, CodeApprovalRelated, "one person may be behind your account and the author's: one reset the other's sign-in, or a machine of theirs made the account; where approvers must be independent, also who invited whom by a link").
			WithHint("somebody must approve whose account came to be in another way: an invitation by mail, single sign-on, the set-up link, or another person's invitation")
	case approve.RefusedUnknown:
		return ota.Errorf(ota.KindForbidden, CodeApprovalRelated, "a machine that is gone, or of unknown owner, made or reset your account").
			WithHint("have a new account made by a person or by single sign-on")
	case approve.RefusedTwice:
		return ota.Errorf(ota.KindForbidden, CodeApprovalTwice, "you, or somebody whose account is tied to yours, approved it already").
			WithHint("somebody else must approve it as well")
	case approve.RefusedNotAllowed:
	}
	return ota.Errorf(ota.KindForbidden, CodeApprovalNotAllowed, "you may not approve this").
		WithHint("it takes the right approval.approve on every protected channel concerned")
}
