package enrol

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"net/url"
	"slices"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
)

// The bounds of a policy.
const (
	maxRoots    = 16
	maxRootPEM  = 8 << 10 // bytes
	maxDigests  = 8
	maxNameText = 255
)

// defaultPolicy is that of an app nobody set one for: nobody is enrolled.
func defaultPolicy(app string) ota.SealedPolicy {
	return ota.SealedPolicy{
		App: app, Enrolment: ota.EnrolClosed, Groups: []string{}, MinAssurance: ota.AssuranceNone, CertificateDays: 30, GrantHours: 24,
		Android: ota.SealedAndroid{Digests: []string{}}, Roots: []string{}, Grants: ota.GrantsByServer,
	}
}

// Policy returns the policy of an app as it is in force.
func (s *Service) Policy(ctx context.Context, app string) (ota.SealedPolicy, error) {
	return policyOf(ctx, s.Store, app)
}

func policyOf(ctx context.Context, r Reader, app string) (ota.SealedPolicy, error) {
	if _, err := r.App(ctx, app); err != nil {
		return ota.SealedPolicy{}, err
	}
	p, err := r.SealedPolicy(ctx, app)
	if ota.KindOf(err) == ota.KindNotFound {
		return defaultPolicy(app), nil
	}
	return p, err
}

// SetPolicy changes the policy of an app.
func (s *Service) SetPolicy(ctx context.Context, by ota.Actor, app string, patch ota.SealedPolicyPatch) (ota.SealedPolicy, error) {
	var after ota.SealedPolicy
	err := s.Store.Update(ctx, by, s.nowMS(), func(tx Tx) (ota.Change, error) {
		a, err := tx.App(ctx, app)
		if err != nil {
			return ota.Change{}, err
		}
		before, err := policyOf(ctx, tx, app)
		if err != nil {
			return ota.Change{}, err
		}
		after = patched(before, patch)
		if err := checkPolicy(&after); err != nil {
			return ota.Change{}, err
		}
		after.UpdatedAt, after.UpdatedBy = s.nowMS(), by
		if err := tx.PutSealedPolicy(ctx, after); err != nil {
			return ota.Change{}, err
		}
		return ota.Change{Action: "sealed_policy.set", App: app, Org: a.Org, Object: app, Before: ota.JSON(before), After: ota.JSON(after)}, nil
	})
	if err != nil {
		return ota.SealedPolicy{}, err
	}
	if s.PolicyChanged != nil {
		s.PolicyChanged(after)
	}
	return after, nil
}

func patched(p ota.SealedPolicy, in ota.SealedPolicyPatch) ota.SealedPolicy {
	set(&p.Enrolment, in.Enrolment)
	set(&p.Groups, in.Groups)
	set(&p.MinAssurance, in.MinAssurance)
	set(&p.CertificateDays, in.CertificateDays)
	set(&p.GrantHours, in.GrantHours)
	set(&p.SignedReports, in.SignedReports)
	set(&p.Issuer, in.Issuer)
	set(&p.Android, in.Android)
	set(&p.Apple, in.Apple)
	set(&p.Roots, in.Roots)
	set(&p.Grants, in.Grants)
	set(&p.Broker, in.Broker)
	for _, list := range []*[]string{&p.Groups, &p.Roots, &p.Android.Digests} {
		if *list == nil {
			*list = []string{}
		}
	}
	slices.Sort(p.Groups)
	p.Groups = slices.Compact(p.Groups)
	return p
}

func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

func checkPolicy(p *ota.SealedPolicy) error {
	switch {
	case p.Enrolment != ota.EnrolClosed && p.Enrolment != ota.EnrolIDToken && p.Enrolment != ota.EnrolOpen:
		return policyInvalid("enrolment", "enrolment is %s, %s or %s", ota.EnrolClosed, ota.EnrolIDToken, ota.EnrolOpen)
	case !p.MinAssurance.Valid():
		return policyInvalid("min_assurance", "%q is no level of assurance", p.MinAssurance).WithHint("levels are none, software, tee and strongbox")
	case p.CertificateDays < 1 || p.CertificateDays > 30:
		return policyInvalid("certificate_days", "certificates last 1 to 30 days")
	case p.GrantHours < 1 || p.GrantHours > 24:
		return policyInvalid("grant_hours", "grants last 1 to 24 hours")
	case p.Grants != ota.GrantsByServer && p.Grants != ota.GrantsByBroker:
		return policyInvalid("grants", "grants are by %s or by %s", ota.GrantsByServer, ota.GrantsByBroker)
	case p.Broker != "" && p.Grants != ota.GrantsByBroker:
		return policyInvalid("broker_url", "a broker is asked only with grants by %s", ota.GrantsByBroker)
	case len(p.Groups) > sealed.MaxGroups:
		return policyInvalid("groups", "at most %d groups", sealed.MaxGroups)
	case slices.ContainsFunc(p.Groups, func(g string) bool { return g == "" || len(g) > maxGroup || !plain(g) }):
		return policyInvalid("groups", "a group has a name of at most %d bytes, without control characters", maxGroup)
	case len(p.Groups) > 0 && p.Issuer.GroupClaim == "":
		return policyInvalid("issuer.group_claim", "groups come from a claim of the ID token: which one?").WithHint("set --group-claim")
	case len(p.Apple.AppID) > maxNameText || len(p.Android.Package) > maxNameText || !plain(p.Apple.AppID+p.Android.Package):
		return policyInvalid("apple.app_id", "the names of the native apps are too long, or no names")
	}
	if err := checkIssuer(p); err != nil {
		return err
	}
	if len(p.Android.Digests) > maxDigests {
		return policyInvalid("android.digests", "at most %d digests", maxDigests)
	}
	for _, d := range p.Android.Digests {
		if _, err := ota.ParseDigest(d); err != nil {
			return policyInvalid("android.digests", "a digest is 64 lower-case hex digits")
		}
	}
	if p.Broker != "" {
		if err := checkURL("broker_url", p.Broker); err != nil {
			return err
		}
	}
	_, err := parseRoots(p.Roots)
	return err
}

func checkIssuer(p *ota.SealedPolicy) error {
	i := p.Issuer
	if (i.URL == "") != (i.Audience == "") {
		return policyInvalid("issuer", "an issuer's address and the audience of its tokens come together")
	}
	if i.URL == "" {
		if p.Enrolment == ota.EnrolIDToken {
			return policyInvalid("issuer.url", "ID tokens are checked against an issuer: which one?").WithHint("set --issuer and --audience")
		}
		return nil
	}
	if len(i.Audience) > maxNameText || len(i.GroupClaim) > maxNameText || !plain(i.Audience+i.GroupClaim) {
		return policyInvalid("issuer", "the audience or the claim is too long")
	}
	return checkURL("issuer.url", i.URL)
}

func checkURL(field, text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" && (field != "broker_url" || u.Scheme != "http") || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || len(text) > 512 ||
		strings.ContainsAny(text, " \\\n") {
		return policyInvalid(field, "%.80q is not an address such as https://id.example.com", text)
	}
	return nil
}

// parseRoots reads the certificates that attestations must lead to.
func parseRoots(texts []string) ([]*x509.Certificate, error) {
	if len(texts) > maxRoots {
		return nil, policyInvalid("attestation_roots", "at most %d roots", maxRoots)
	}
	out := make([]*x509.Certificate, 0, len(texts))
	for _, text := range texts {
		block, rest := pem.Decode([]byte(text))
		if len(text) > maxRootPEM || block == nil || block.Type != "CERTIFICATE" || strings.TrimSpace(string(rest)) != "" {
			return nil, policyInvalid("attestation_roots", "a root is one certificate in PEM")
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil || !c.IsCA {
			return nil, policyInvalid("attestation_roots", "a root is no certificate of an authority").WithCause(err)
		}
		out = append(out, c)
	}
	return out, nil
}
