package identity

import (
	"context"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/secret"
)

// SSOSource names a provider as the source of group memberships.
func SSOSource(provider string) string { return "sso:" + provider }

const (
	maxProviders = 20
	maxDomains   = 50
	maxGroupMap  = 200
)

// Providers lists the single sign-on providers by id.
func (s *Service) Providers(ctx context.Context) ([]ota.SSOProvider, error) {
	all, err := s.store.SSOProviders(ctx)
	out := make([]ota.SSOProvider, len(all))
	for i := range all {
		out[i] = all[i].SSOProvider
	}
	return out, err
}

// Provider returns one.
func (s *Service) Provider(ctx context.Context, id string) (ota.SSOProvider, error) {
	p, err := s.store.SSOProvider(ctx, id)
	return p.SSOProvider, err
}

// CreateProvider adds a single sign-on provider.
func (s *Service) CreateProvider(ctx context.Context, p ota.Principal, in ota.NewSSOProvider) (ota.SSOProvider, error) {
	n := Provider{SSOProvider: ota.SSOProvider{
		ID: in.ID, Name: in.Name, Issuer: in.Issuer, ClientID: in.ClientID, Domains: in.Domains, TrustedDomains: in.TrustedDomains,
		CreateUsers: in.CreateUsers, GroupClaim: in.GroupClaim, Groups: in.Groups, CreatedAt: s.nowMS(), CreatedBy: p.Actor(),
	}}
	if n.Name == "" {
		n.Name = n.ID
	}
	if !regexp.MustCompile(`^[a-z][a-z0-9-]{0,39}$`).MatchString(n.ID) {
		return ota.SSOProvider{}, ota.Invalid("sso_id_invalid", "provider id %q: use 1 to 40 of a-z, 0-9 and '-', a letter first", clip(n.ID)).WithField("id")
	}
	if err := checkIssuer(n.Issuer); err != nil {
		return ota.SSOProvider{}, err
	}
	if err := s.checkProvider(ctx, p, &n); err != nil {
		return ota.SSOProvider{}, err
	}
	var err error
	if n.Secret, err = s.box.seal("sso/"+n.ID, []byte(in.ClientSecret)); err != nil {
		return ota.SSOProvider{}, err
	}
	err = s.store.Update(ctx, p.Actor(), s.nowMS(), func(tx Tx) (ota.Change, error) {
		all, err := tx.SSOProviders(ctx)
		if err != nil {
			return ota.Change{}, err
		}
		if slices.ContainsFunc(all, func(o Provider) bool { return o.ID == n.ID }) {
			return ota.Change{}, ota.Conflict("sso_exists", "there is a provider %q already", n.ID).WithField("id")
		}
		if len(all) >= maxProviders {
			return ota.Change{}, ota.Conflict("sso_too_many", "there are %d providers already", len(all)).WithHint("delete one first")
		}
		c := change("sso.create", n.ID, nil)
		c.After = ota.JSON(n.SSOProvider)
		return c, tx.InsertSSOProvider(ctx, n)
	})
	return n.SSOProvider, err
}

// UpdateProvider changes a provider. Its issuer stays what it is: subjects are
// the issuer's.
func (s *Service) UpdateProvider(ctx context.Context, p ota.Principal, id string, in ota.SSOProviderPatch) (out ota.SSOProvider, err error) {
	var sealed []byte
	if in.ClientSecret != nil {
		if sealed, err = s.box.seal("sso/"+id, []byte(*in.ClientSecret)); err != nil {
			return out, err
		}
	}
	old, err := s.store.SSOProvider(ctx, id)
	if err != nil {
		return out, err
	}
	n := old
	set(&n.Name, in.Name)
	set(&n.ClientID, in.ClientID)
	set(&n.Domains, in.Domains)
	set(&n.TrustedDomains, in.TrustedDomains)
	set(&n.CreateUsers, in.CreateUsers)
	set(&n.GroupClaim, in.GroupClaim)
	set(&n.Groups, in.Groups)
	if sealed != nil {
		n.Secret = sealed
	}
	if err := s.checkProvider(ctx, p, &n); err != nil {
		return out, err
	}
	err = s.store.Update(ctx, p.Actor(), s.nowMS(), func(tx Tx) (ota.Change, error) {
		now, err := tx.SSOProvider(ctx, id)
		if err != nil {
			return ota.Change{}, err
		}
		c := change("sso.update", id, fields{"client_secret": in.ClientSecret != nil})
		c.Before, c.After = ota.JSON(now.SSOProvider), ota.JSON(n.SSOProvider)
		return c, keepOwner(ctx, tx, func() error { return tx.UpdateSSOProvider(ctx, n) })
	})
	return n.SSOProvider, err
}

func set[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

// DeleteProvider removes a provider, what it said of who is who, and whom it
// put into groups. Users stay, and so does the last owner's way in.
func (s *Service) DeleteProvider(ctx context.Context, p ota.Principal, id string) error {
	return s.store.Update(ctx, p.Actor(), s.nowMS(), func(tx Tx) (ota.Change, error) {
		old, err := tx.SSOProvider(ctx, id)
		if err != nil {
			return ota.Change{}, err
		}
		c := change("sso.delete", id, nil)
		c.Before = ota.JSON(old.SSOProvider)
		return c, keepOwner(ctx, tx, func() error { return tx.DeleteSSOProvider(ctx, id) })
	})
}

// checkProvider refuses what cannot work or would be dangerous, and brings the
// lists into their stored form.
func (s *Service) checkProvider(ctx context.Context, p ota.Principal, n *Provider) (err error) {
	if n.Name, err = nameOf(n.Name, "name", 60); err != nil {
		return err
	}
	if n.ClientID == "" || len(n.ClientID) > 512 {
		return ota.Invalid("sso_client_invalid", "the client id is missing or too long").WithField("client_id").
			WithHint("register Waxwing at the issuer; it gives you one")
	}
	if n.Domains, err = domains("domains", n.Domains); err != nil {
		return err
	}
	if len(n.Domains) == 0 {
		return ota.Invalid("sso_domains_missing", "say which domains of mail addresses may sign in").WithField("domains").
			WithHint("without, everybody who has an account at the issuer could")
	}
	if n.TrustedDomains, err = domains("trusted_domains", n.TrustedDomains); err != nil {
		return err
	}
	for _, d := range n.TrustedDomains {
		if !slices.Contains(n.Domains, d) {
			return ota.Invalid("sso_domain_invalid", "%s is trusted but may not sign in", d).WithField("trusted_domains").
				WithHint("add it to the domains too")
		}
	}
	if len(n.GroupClaim) > 100 || len(n.Groups) > maxGroupMap {
		return ota.Invalid("sso_groups_invalid", "the group claim has at most 100 characters, the mapping at most %d groups", maxGroupMap).WithField("groups")
	}
	if n.Groups == nil {
		n.Groups = map[string]int64{}
	}
	for name, id := range n.Groups {
		if name == "" || len(name) > 200 {
			return ota.Invalid("sso_groups_invalid", "a group of the issuer has a name of 1 to 200 bytes").WithField("groups")
		}
		if _, err := s.store.Group(ctx, id); err != nil {
			return err
		}
		if err := s.may.MayMapGroup(ctx, p, id); err != nil {
			return err
		}
	}
	return nil
}

func checkIssuer(issuer string) error {
	u, err := url.Parse(issuer)
	ok := err == nil && u.Host != "" && u.User == nil && u.RawQuery == "" && u.Fragment == "" && len(issuer) < 300
	if ok && u.Scheme == "http" {
		ip, err := netip.ParseAddr(u.Hostname())
		ok = u.Hostname() == "localhost" || err == nil && ip.IsLoopback()
	} else if ok {
		ok = u.Scheme == "https"
	}
	if !ok {
		return ota.Invalid("sso_issuer_invalid", "an issuer is an https URL without query").WithField("issuer").
			WithHint("it is what the issuer's /.well-known/openid-configuration says, such as https://accounts.example.com")
	}
	return nil
}

func domains(field string, in []string) ([]string, error) {
	out := []string{}
	for _, d := range in {
		d = strings.ToLower(strings.TrimSpace(d))
		if e, err := emailOf("x@" + d); err != nil || e != "x@"+d || !strings.Contains(d, ".") {
			return nil, ota.Invalid("sso_domain_invalid", "%q is not a domain of mail addresses", clip(d)).WithField(field).WithHint("write it like example.com")
		}
		if !slices.Contains(out, d) {
			out = append(out, d)
		}
	}
	if len(out) > maxDomains {
		return nil, ota.Invalid("sso_domain_invalid", "at most %d domains", maxDomains).WithField(field)
	}
	slices.Sort(out)
	return out, nil
}

func clip(s string) string {
	if len(s) > 100 {
		return strings.ToValidUTF8(s[:100], "") + "..."
	}
	return s
}

// Issuer is what is needed to talk to an issuer.
type Issuer struct {
	URL        string
	ClientID   string
	Secret     secret.Text
	GroupClaim string
}

// issuer opens the client secret of a provider.
func (s *Service) issuer(p Provider) (Issuer, error) {
	plain, err := s.box.open("sso/"+p.ID, p.Secret)
	return Issuer{URL: p.Issuer, ClientID: p.ClientID, Secret: secret.New(string(plain)), GroupClaim: p.GroupClaim}, err
}
