package token

import (
	"context"
	"net/url"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

const (
	maxText   = 512 // bytes of a field of a publisher
	maxIssuer = 512

	githubIssuer = "https://token.actions.githubusercontent.com"
	gitlabIssuer = "https://gitlab.com"
)

// CreatePublisher lets CI runs of a repository in. That takes an administrator
// of the scope.
func (s *Service) CreatePublisher(ctx context.Context, p ota.Principal, in ota.NewPublisher) (ota.TrustedPublisher, error) {
	out := ota.TrustedPublisher{
		Org: in.Scope.Org, Name: in.Name, Provider: in.Provider, Issuer: in.Issuer, RepositoryID: in.RepositoryID, OwnerID: in.OwnerID,
		Repository: in.Repository, Workflow: in.Workflow, Ref: in.Ref, Environment: in.Environment, PullRequests: in.PullRequests,
		Role: in.Role, Scope: in.Scope, Actions: in.Actions, CreatedAt: s.nowMS(), CreatedBy: p.Actor(),
	}
	if out.Issuer == "" {
		out.Issuer = map[ota.CIProvider]string{ota.ProviderGitHub: githubIssuer, ota.ProviderGitLab: gitlabIssuer}[in.Provider]
	}
	if err := checkPublisher(&out); err != nil {
		return out, err
	}
	if _, err := s.checkLimits(nil, out.Actions); err != nil {
		return out, err
	}
	if !administers(&p, out.Scope) || !within(p.Limits, ota.Limits{Scopes: []ota.Scope{out.Scope}, Actions: out.Actions}) {
		return out, broader("a trusted publisher of %s takes an administrator of it", out.Scope).WithField("scope").
			WithHint("ask an administrator of %s", out.Scope)
	}
	err := s.store.Update(ctx, p.Actor(), out.CreatedAt, func(tx Tx) (ota.Change, error) {
		have, err := tx.IssuerProvider(ctx, out.Issuer)
		switch {
		case err == nil && have != out.Provider:
			return ota.Change{}, publisherInvalid("provider", "the issuer %s is of %s by what other trusted publishers say", out.Issuer, have)
		case err != nil && ota.KindOf(err) != ota.KindNotFound:
			return ota.Change{}, err
		}
		out, err = tx.InsertPublisher(ctx, out)
		return publisherChange("trusted_publisher.create", &out, nil, out), err
	})
	return out, err
}

func publisherChange(action string, p *ota.TrustedPublisher, before, after any) ota.Change {
	c := change(action, p.Org, p.Name, before, after)
	c.App = p.Scope.App
	return c
}

func administers(p *ota.Principal, s ota.Scope) bool {
	return p.LevelIn(s) >= ota.RoleAdministrator.Level()
}

// Publishers lists the trusted publishers of an organisation that p is in,
// newest first.
func (s *Service) Publishers(ctx context.Context, p ota.Principal, org string, page ota.Page) ([]ota.TrustedPublisher, string, error) {
	if org == "" {
		org = ota.MainOrg
	}
	for _, g := range p.Effective() {
		if g.Covers(ota.Scope{Org: org}) {
			return s.store.Publishers(ctx, org, page)
		}
	}
	return nil, "", ota.Errorf(ota.KindForbidden, CodeNotAllowed, "%s may not list the trusted publishers of %s", p.Actor(), org).WithField("org")
}

// DeletePublisher shuts its runs out at once, those that hold a token included.
func (s *Service) DeletePublisher(ctx context.Context, p ota.Principal, id int64) error {
	return s.store.Update(ctx, p.Actor(), s.nowMS(), func(tx Tx) (ota.Change, error) {
		old, err := tx.Publisher(ctx, id)
		if err == nil && !administers(&p, old.Scope) {
			err = ota.NotFound(CodePublisherNotFound, "there is no trusted publisher %d", id).WithHint("see: waxwing trusted-publishers list")
		}
		if err != nil {
			return ota.Change{}, err
		}
		return publisherChange("trusted_publisher.delete", &old, old, nil), tx.DeletePublisher(ctx, id)
	})
}

func publisherInvalid(field, format string, a ...any) *ota.Error {
	return ota.Invalid(CodePublisherInvalid, format, a...).WithField(field)
}

func checkPublisher(p *ota.TrustedPublisher) error {
	if err := checkName(p.Name); err != nil {
		return err
	}
	if p.Provider != ota.ProviderGitHub && p.Provider != ota.ProviderGitLab {
		return publisherInvalid("provider", "%q is neither github nor gitlab", p.Provider)
	}
	if err := checkIssuer(p); err != nil {
		return err
	}
	for field, id := range map[string]string{"repository_id": p.RepositoryID, "owner_id": p.OwnerID} {
		if id == "" || len(id) > 20 || strings.Trim(id, "0123456789") != "" {
			return publisherInvalid(field, "%q is no numeric id", id).
				WithHint("names change hands, ids do not: GitHub shows both under api.github.com/repos/OWNER/NAME, GitLab under api/v4/projects/PATH")
		}
	}
	if err := checkWorkflow(p.Provider, p.Workflow); err != nil {
		return err
	}
	if err := checkRef(p.Ref); err != nil {
		return err
	}
	if len(p.Environment) > maxText || len(p.Repository) > maxText {
		return publisherInvalid("environment", "a name has more than %d bytes", maxText)
	}
	if err := ota.CheckScope(p.Scope); err != nil {
		return err
	}
	if l := p.Role.Level(); l == 0 || l >= ota.RoleAdministrator.Level() {
		return publisherInvalid("role", "a CI run cannot be %q", p.Role).
			WithHint("give it release-manager, developer, tester or viewer")
	}
	return nil
}

// checkIssuer takes only what can be an issuer's name to the letter: it is
// compared so, and is where keys are loaded from.
func checkIssuer(p *ota.TrustedPublisher) error {
	u, err := url.Parse(p.Issuer)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Opaque != "" ||
		strings.HasSuffix(p.Issuer, "/") || strings.HasSuffix(p.Issuer, "?") || strings.HasSuffix(p.Issuer, "#") ||
		len(p.Issuer) > maxIssuer || u.String() != p.Issuer {
		return publisherInvalid("issuer", "%q is no issuer", p.Issuer).
			WithHint("write it as the ID tokens have it, such as https://gitlab.example.com, without a slash at the end")
	}
	if p.Issuer == githubIssuer && p.Provider != ota.ProviderGitHub || p.Issuer == gitlabIssuer && p.Provider != ota.ProviderGitLab {
		return publisherInvalid("provider", "the issuer %s is not of %s", p.Issuer, p.Provider)
	}
	return nil
}
