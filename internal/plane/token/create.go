package token

import (
	"context"
	"net/netip"
	"slices"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/secret"
)

// Times in Unix milliseconds.
const (
	second = int64(1000)
	day    = 24 * 60 * 60 * second

	defaultLife = 90 * day
	maxLife     = 365 * day
	ownerLife   = 10 * 365 * day // for those who own the server

	maxLimits = 100 // scopes, actions and networks of a token, each
	maxAction = 64  // bytes of one that an error repeats
)

// Create makes a token and returns its secret, which is stored nowhere. It is
// the caller's own unless it is asked for a service account, and can never do
// more than the caller.
func (s *Service) Create(ctx context.Context, p ota.Principal, in ota.NewToken) (secret.Text, ota.Token, error) {
	none := secret.Text{}
	t := ota.Token{Name: in.Name, CreatedAt: s.nowMS(), CreatedBy: p.Actor()}
	if err := checkName(in.Name); err != nil {
		return none, t, err
	}
	var err error
	if t.Limits, err = s.checkLimits(in.Scopes, in.Actions); err != nil {
		return none, t, err
	}
	if t.IPRanges, err = checkNetworks(in.IPRanges); err != nil {
		return none, t, err
	}
	if t.ExpiresAt, err = expiry(&p, in.ExpiresIn, t.CreatedAt); err != nil {
		return none, t, err
	}
	if t.Owner, err = s.newOwner(ctx, &p, in); err != nil {
		return none, t, err
	}
	holds, err := s.holds(ctx, &p, t.Owner)
	if err != nil {
		return none, t, err
	}
	if t.Owner.Kind == ota.TokenOfNobody {
		t.Grants = holds
	}
	if err := withinMaker(&p, &t, holds); err != nil {
		return none, t, err
	}
	return s.insert(ctx, p.Actor(), "token.create", t)
}

// insert draws a secret for a token and stores both.
func (s *Service) insert(ctx context.Context, actor ota.Actor, action string, t ota.Token) (secret.Text, ota.Token, error) {
	text, err := s.newSecret()
	if err != nil {
		return secret.Text{}, t, err
	}
	t.Prefix = prefixOf(text)
	err = s.store.Update(ctx, actor, t.CreatedAt, func(tx Tx) (ota.Change, error) {
		t, err = tx.InsertToken(ctx, t, ota.Sum([]byte(text)))
		return change(action, t.Owner.Org, t.Name, nil, t), err
	})
	if err != nil {
		return secret.Text{}, t, err
	}
	return secret.New(text), t, nil
}

// newOwner finds whose the token will be.
func (s *Service) newOwner(ctx context.Context, p *ota.Principal, in ota.NewToken) (ota.TokenOwner, error) {
	if in.Service == "" {
		if in.Org != "" {
			return ota.TokenOwner{}, ota.Invalid(CodeLimitsInvalid, "an organisation is named without a service account").
				WithField("org").WithHint("name the account too, or limit the token with scopes")
		}
		return ownerOf(p)
	}
	return s.account(ctx, p, in.Org, in.Service)
}

// account finds a service account for whose tokens p may care.
func (s *Service) account(ctx context.Context, p *ota.Principal, org, name string) (ota.TokenOwner, error) {
	if org == "" {
		org = ota.MainOrg
	}
	a, err := s.store.TokenAccount(ctx, org, name)
	if err != nil {
		return ota.TokenOwner{}, err
	}
	o := ota.TokenOwner{Kind: ota.TokenOfService, ID: a.ID, Name: name, Org: org}
	if !owns(p, o) && !runs(p, org) {
		return o, ota.Errorf(ota.KindForbidden, CodeNotAllowed, "%s may not care for tokens of the service account %q", p.Actor(), name).
			WithHint("an administrator of the organisation may").WithField("service")
	}
	if a.Disabled {
		return o, ota.Conflict(CodeOwnerDisabled, "the service account %q is disabled", name).WithField("service")
	}
	return o, nil
}

// ownerOf is who p's own tokens belong to.
func ownerOf(p *ota.Principal) (ota.TokenOwner, error) {
	switch p.Kind {
	case ota.PrincipalUser:
		return ota.TokenOwner{Kind: ota.TokenOfUser, ID: p.ID, Name: p.Name, Org: ota.MainOrg}, nil
	case ota.PrincipalService:
		if p.Token != nil {
			return p.Token.Owner, nil
		}
	case ota.PrincipalToken:
		return ota.TokenOwner{Kind: ota.TokenOfNobody, Org: ota.MainOrg}, nil
	case ota.PrincipalCI, ota.PrincipalSystem:
	}
	return ota.TokenOwner{}, ota.Errorf(ota.KindForbidden, CodeNotAllowed, "%s has no tokens of its own", p.Actor()).
		WithHint("a person or a service account makes tokens")
}

// owns reports whether tokens of o are p's own.
func owns(p *ota.Principal, o ota.TokenOwner) bool {
	own, err := ownerOf(p)
	return err == nil && own.Kind == o.Kind && own.ID == o.ID
}

// runs reports whether p runs an organisation.
func runs(p *ota.Principal, org string) bool {
	return p.LevelIn(ota.Scope{Org: org}) >= ota.RoleAdministrator.Level()
}

// holds returns what the owner of a token holds now.
func (s *Service) holds(ctx context.Context, p *ota.Principal, o ota.TokenOwner) ([]ota.Grant, error) {
	if o.Kind == ota.TokenOfService {
		return s.grants(ctx, ota.SubjectService, o.ID)
	}
	return p.Grants, nil // the caller's own
}

func checkName(name string) error {
	if ota.CheckChannelName(name) != nil {
		return ota.Invalid(CodeNameInvalid, "name %q: use 1 to 64 letters, digits, '.', '_' or '-', a letter or digit first", name).
			WithField("name")
	}
	return nil
}

func (s *Service) checkLimits(scopes []ota.Scope, actions []string) (ota.Limits, error) {
	l := ota.Limits{Scopes: slices.Clone(scopes), Actions: slices.Clone(actions)}
	if len(scopes) > maxLimits || len(actions) > maxLimits {
		return l, ota.Invalid(CodeLimitsInvalid, "a token has at most %d scopes and as many actions", maxLimits)
	}
	for _, sc := range scopes {
		if err := ota.CheckScope(sc); err != nil {
			return l, err
		}
	}
	known := s.actions()
	for _, a := range actions {
		if !slices.Contains(known, a) {
			return l, ota.Invalid(CodeActionInvalid, "%q is no action", clip(a)).WithField("actions").WithHint("%s", suggest(known, a))
		}
	}
	return l, nil
}

// suggest names the actions on the same noun as one that does not exist.
func suggest(known []string, a string) string {
	noun, _, _ := strings.Cut(a, ".")
	var near []string
	for _, k := range known {
		if n, _, _ := strings.Cut(k, "."); n == noun {
			near = append(near, k)
		}
	}
	if len(near) == 0 {
		return "actions look like bundle.create; docs/permissions.md lists them"
	}
	return "there are: " + strings.Join(near, ", ")
}

func clip(s string) string {
	if len(s) > maxAction {
		return strings.ToValidUTF8(s[:maxAction], "") + "..."
	}
	return s
}

// checkNetworks brings networks to their usual form; an address alone is a
// network of one.
func checkNetworks(ranges []string) ([]string, error) {
	if len(ranges) > maxLimits {
		return nil, ota.Invalid(CodeIPRangeInvalid, "a token has at most %d networks", maxLimits).WithField("ip_ranges")
	}
	out := make([]string, 0, len(ranges))
	for _, r := range ranges {
		n, err := netip.ParsePrefix(r)
		if a, aerr := netip.ParseAddr(r); err != nil && aerr == nil && a.Zone() == "" {
			n, err = a.Prefix(a.BitLen())
		}
		if err != nil || n.Addr().Is4In6() {
			return nil, ota.Invalid(CodeIPRangeInvalid, "%q is no network", r).WithField("ip_ranges").
				WithHint("write it like 203.0.113.0/24 or 2001:db8::/48")
		}
		out = append(out, n.Masked().String())
	}
	return out, nil
}

// expiry is when a token asked for by p ends: after so many seconds, by default
// after 90 days or with the token that makes it.
func expiry(p *ota.Principal, seconds, now int64) (int64, error) {
	longest := maxLife
	if p.Is(ota.RoleOwner, ota.Scope{Org: ota.MainOrg}) {
		longest = ownerLife
	}
	if seconds < 0 || seconds > longest/second {
		return 0, ota.Invalid(CodeExpiryInvalid, "a token of yours lasts 1 second to %d days", longest/day).WithField("expires_in")
	}
	if seconds > 0 {
		return now + seconds*second, nil
	}
	at := now + defaultLife
	if p.Token != nil && p.Token.ExpiresAt != 0 {
		at = min(at, p.Token.ExpiresAt)
	}
	return at, nil
}
