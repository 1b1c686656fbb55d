package token

import (
	"context"
	"encoding/json"
	"net/netip"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/secret"
)

// exchangedLife is how long the token of a CI run lasts, Unix ms.
const exchangedLife = 15 * 60 * second

// keepExpired is how long expired tokens of CI runs stay visible, Unix ms.
const keepExpired = day

// maxDetail bounds what the record of an exchange repeats of a claim, in bytes.
const maxDetail = 256

// Exchange gives a CI run a token of minutes for its ID token, which anybody
// may send from anywhere: it counts only if the issuer that a trusted publisher
// names signed it for this server, for now, for a run that is what the
// publisher asks for, and it counts once.
func (s *Service) Exchange(ctx context.Context, in ota.TokenExchange, from netip.Addr) (secret.Text, ota.Token, error) {
	none := secret.Text{}
	if s.audience == "" || s.verifier == nil {
		return none, ota.Token{}, ota.Errorf(ota.KindUnavailable, CodeExchangeOff, "this server exchanges no ID tokens").
			WithHint("it must know its own address: set WAXWING_PUBLIC_URL, or WAXWING_CI_AUDIENCE")
	}
	if !s.rate.allow(from, s.now()) {
		return none, ota.Token{}, ota.Errorf(ota.KindUnavailable, CodeExchangeBusy, "too many ID tokens are being exchanged").
			WithHint("try again in a few seconds")
	}
	run, err := s.proven(ctx, in.IDToken)
	if err != nil {
		return none, ota.Token{}, err
	}
	pub, err := s.publisherOf(ctx, in, &run)
	if err != nil {
		return none, ota.Token{}, err
	}
	return s.issue(ctx, pub, run)
}

// proven is the run that an ID token is of.
func (s *Service) proven(ctx context.Context, raw string) (ciRun, error) {
	issuer, err := claimedIssuer(raw)
	if err != nil {
		return ciRun{}, err
	}
	provider, err := s.store.IssuerProvider(ctx, issuer)
	if ota.KindOf(err) == ota.KindNotFound {
		return ciRun{}, refused(err)
	}
	if err != nil {
		return ciRun{}, err
	}
	payload, err := s.verifier.Verify(ctx, issuer, raw)
	if ota.KindOf(err) == ota.KindUnauthorized {
		return ciRun{}, refused(err)
	}
	if err != nil {
		return ciRun{}, err
	}
	c, err := readClaims(payload)
	if err != nil {
		return ciRun{}, err
	}
	if c.Issuer != issuer {
		return ciRun{}, refused(malformed("issuer"))
	}
	if err := c.check(s.audience, s.now().Unix()); err != nil {
		return ciRun{}, err
	}
	return c.run(provider)
}

// publisherOf is the one trusted publisher that lets the run in.
func (s *Service) publisherOf(ctx context.Context, in ota.TokenExchange, r *ciRun) (ota.TrustedPublisher, error) {
	all, err := s.store.PublishersOf(ctx, r.Issuer, r.RepositoryID)
	if err != nil {
		return ota.TrustedPublisher{}, err
	}
	org := in.Org
	if org == "" {
		org = ota.MainOrg
	}
	// What is said of a repository without a publisher is said of one whose
	// publisher has another name, too.
	why := ota.Errorf(ota.KindUnauthorized, CodePublisherRefused, "no trusted publisher is for this repository").WithField("repository_id").
		WithHint("add one: waxwing trusted-publishers add")
	var refusal error = why
	var found []ota.TrustedPublisher
	var names []string
	for i := range all {
		if in.Publisher != "" && (all[i].Name != in.Publisher || all[i].Org != org) {
			continue
		}
		if err := matches(&all[i], r); err != nil {
			refusal = err
			continue
		}
		found, names = append(found, all[i]), append(names, all[i].Name)
	}
	switch len(found) {
	case 0:
		return ota.TrustedPublisher{}, refusal
	case 1:
		return found[0], nil
	}
	return ota.TrustedPublisher{}, ota.Invalid(CodeAmbiguous, "several trusted publishers let this run in: %s", strings.Join(names, ", ")).
		WithField("publisher").WithHint("name one of them")
}

// issue uses the ID token up and makes the token of the run.
func (s *Service) issue(ctx context.Context, pub ota.TrustedPublisher, r ciRun) (secret.Text, ota.Token, error) {
	text, err := s.newSecret()
	if err != nil {
		return secret.Text{}, ota.Token{}, err
	}
	now := s.nowMS()
	used := ota.Sum([]byte(r.Issuer + "\x00" + r.jti))
	actor := ota.Actor("ci:" + pub.Name)
	t := ota.Token{
		Name:   pub.Name + "." + used.String()[:16],
		Owner:  ota.TokenOwner{Kind: ota.TokenOfPublisher, ID: pub.ID, Name: pub.Name, Org: pub.Org},
		Grants: []ota.Grant{{Role: pub.Role, Scope: pub.Scope}}, Limits: ota.Limits{Actions: pub.Actions},
		Prefix: prefixOf(text), CreatedAt: now, CreatedBy: actor, ExpiresAt: now + exchangedLife,
	}
	err = s.store.Update(ctx, actor, now, func(tx Tx) (ota.Change, error) {
		if err := tx.PurgeExchanges(ctx, now-keepExpired); err != nil {
			return ota.Change{}, err
		}
		// Removed since it was read, it lets nobody in.
		if _, err := tx.Publisher(ctx, pub.ID); err != nil {
			return ota.Change{}, err
		}
		fresh, err := tx.TakeJTI(ctx, used, (r.expires+skew)*second)
		if err != nil {
			return ota.Change{}, err
		}
		if !fresh {
			return ota.Change{}, ota.Errorf(ota.KindUnauthorized, CodeIDTokenReplayed, "the ID token was used before").
				WithHint("each exchange takes a fresh one; if no step of yours used it, find out who did")
		}
		if t, err = tx.InsertToken(ctx, t, ota.Sum([]byte(text))); err != nil {
			return ota.Change{}, err
		}
		c := publisherChange("token.exchange", &pub, nil, t)
		c.Detail = r.detail()
		return c, tx.TouchPublisher(ctx, pub.ID, now)
	})
	if err != nil {
		return secret.Text{}, ota.Token{}, err
	}
	return secret.New(text), t, nil
}

// detail is what the record of an exchange keeps of the run.
func (r ciRun) detail() string {
	for _, at := range []*string{&r.Repository, &r.Workflow, &r.Ref, &r.Environment, &r.Event, &r.Run, &r.SHA} {
		if len(*at) > maxDetail {
			*at = strings.ToValidUTF8((*at)[:maxDetail], "")
		}
	}
	b, err := json.Marshal(r)
	if err != nil {
		return "{}"
	}
	return string(b)
}
