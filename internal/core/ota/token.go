package ota

import "strings"

// TokenOwnerKind says whose a token is.
type TokenOwnerKind string

// The kinds of owner. A token of nobody holds roles by itself: it is how the
// first person gets in. A token of a trusted publisher belongs to one CI run.
const (
	TokenOfNobody    TokenOwnerKind = "nobody"
	TokenOfUser      TokenOwnerKind = "user"
	TokenOfService   TokenOwnerKind = "service"
	TokenOfPublisher TokenOwnerKind = "publisher"
)

// TokenOwner names whose a token is.
type TokenOwner struct {
	Kind TokenOwnerKind `json:"kind"`
	ID   int64          `json:"id"`   // of the user, service account or trusted publisher; 0 = nobody
	Name string         `json:"name"` // a person's mail address, or the name of the account or publisher
	Org  string         `json:"org"`  // of the account or publisher; MainOrg for the rest
}

// Token is an API token as it may be shown; its secret is stored hashed only.
// Times are Unix milliseconds.
type Token struct {
	ID     int64      `json:"id"`
	Name   string     `json:"name"` // unique among those of its owner
	Owner  TokenOwner `json:"owner"`
	Grants []Grant    `json:"grants"` // that it holds by itself; a user's or account's token has its owner's
	Limits Limits     `json:"limits"`
	// IPRanges are the networks it may be used from, such as "203.0.113.0/24"; empty = any.
	IPRanges      []string     `json:"ip_ranges"`
	Prefix        string       `json:"prefix"` // first characters of the secret; "" = not one of ours
	CreatedAt     int64        `json:"created_at"`
	CreatedBy     Actor        `json:"created_by"`
	ExpiresAt     int64        `json:"expires_at"`     // 0 = never
	RotatedAt     int64        `json:"rotated_at"`     // 0 = not yet
	PreviousUntil int64        `json:"previous_until"` // until when the secret before the last rotation works; 0 = it does not
	LastUsed      int64        `json:"last_used"`
	LastFrom      string       `json:"last_from"`         // network of the last use, such as "203.0.113.0/24"
	Warning       TokenWarning `json:"warning,omitempty"` // as of the answer
}

// TokenWarning says that a token needs somebody to look after it.
type TokenWarning string

// The warnings.
const (
	TokenExpired     TokenWarning = "expired"
	TokenExpiresSoon TokenWarning = "expires_soon" // within two weeks
)

// NewToken asks for a token. Without Service it is the caller's own.
type NewToken struct {
	Name      string   `json:"name"`
	Service   string   `json:"service,omitempty"`    // name of the service account it is for
	Org       string   `json:"org,omitempty"`        // of the service account; "" = MainOrg
	Scopes    []Scope  `json:"scopes,omitempty"`     // empty = where the owner may
	Actions   []string `json:"actions,omitempty"`    // such as "bundle.create"; empty = what the owner may
	ExpiresIn int64    `json:"expires_in,omitempty"` // seconds; 0 = 90 days
	IPRanges  []string `json:"ip_ranges,omitempty"`
}

// TokenRotation asks for a new secret of a token. The old one works for Overlap
// seconds more.
type TokenRotation struct {
	Overlap int64 `json:"overlap,omitempty"`
}

// TokenFilter narrows a list of tokens. The zero filter is the caller's own.
type TokenFilter struct {
	All     bool   // those of everybody, but for CI runs
	Service string // those of this service account
	Org     string // of the service account; "" = MainOrg
}

// CIProvider is a system that runs builds and vouches for them.
type CIProvider string

// The providers.
const (
	ProviderGitHub CIProvider = "github"
	ProviderGitLab CIProvider = "gitlab"
)

// TrustedPublisher lets CI runs of one repository in for minutes without a
// stored secret. All that is not empty must be in the run's ID token.
type TrustedPublisher struct {
	ID           int64      `json:"id"`
	Org          string     `json:"org"`
	Name         string     `json:"name"`
	Provider     CIProvider `json:"provider"`
	Issuer       string     `json:"issuer"`                  // of the ID tokens; https
	RepositoryID string     `json:"repository_id"`           // decimal; a rename keeps it, a fork has another
	OwnerID      string     `json:"owner_id"`                // decimal; of the account, organisation or namespace that owns it
	Repository   string     `json:"repository,omitempty"`    // name for people; not checked
	Workflow     string     `json:"workflow"`                // file in the repository, or another's with its ref
	Ref          string     `json:"ref"`                     // refs/heads/main, refs/tags/v1.0.0 or refs/tags/v*
	Environment  string     `json:"environment,omitempty"`   // "" = any or none
	PullRequests bool       `json:"pull_requests,omitempty"` // runs of pull requests may, too
	Role         Role       `json:"role"`
	Scope        Scope      `json:"scope"`
	Actions      []string   `json:"actions,omitempty"` // empty = all of the role
	CreatedAt    int64      `json:"created_at"`
	CreatedBy    Actor      `json:"created_by"`
	LastUsed     int64      `json:"last_used"`
}

// NewPublisher asks for a trusted publisher.
type NewPublisher struct {
	Name         string     `json:"name"` // unique in the scope's organisation, which it belongs to
	Provider     CIProvider `json:"provider"`
	Issuer       string     `json:"issuer,omitempty"` // "" = that of github.com or gitlab.com
	RepositoryID string     `json:"repository_id"`
	OwnerID      string     `json:"owner_id"`
	Repository   string     `json:"repository,omitempty"`
	Workflow     string     `json:"workflow"`
	Ref          string     `json:"ref"`
	Environment  string     `json:"environment,omitempty"`
	PullRequests bool       `json:"pull_requests,omitempty"`
	Role         Role       `json:"role"`
	Scope        Scope      `json:"scope"`
	Actions      []string   `json:"actions,omitempty"`
}

// TokenExchange asks for a token in exchange for the ID token of a CI run.
type TokenExchange struct {
	IDToken   string `json:"id_token"`
	Publisher string `json:"publisher,omitempty"` // needed only if several match
	Org       string `json:"org,omitempty"`       // of Publisher; "" = MainOrg
}

// ParseScope reads what [Scope.String] writes: "org", "org/app" or
// "org/app/channel".
func ParseScope(s string) (Scope, error) {
	parts := strings.Split(s, "/")
	bad := Invalid("scope_invalid", "%q is no scope", s).WithField("scope").
		WithHint("write an organisation, an app or a channel: main, main/com.example.shop or main/com.example.shop/beta")
	if len(parts) > 3 {
		return Scope{}, bad
	}
	var out Scope
	for i, at := range []*string{&out.Org, &out.App, &out.Channel} {
		if i < len(parts) {
			if *at = parts[i]; *at == "" {
				return Scope{}, bad
			}
		}
	}
	return out, CheckScope(out)
}

// CheckScope refuses a scope that cannot be: its parts must have the form of
// names and be there from the left.
func CheckScope(s Scope) error {
	if CheckChannelName(s.Org) != nil || s.App == "" && s.Channel != "" ||
		s.App != "" && CheckAppID(s.App) != nil || s.Channel != "" && CheckChannelName(s.Channel) != nil {
		return Invalid("scope_invalid", "%q is no scope", s.String()).WithField("scope").
			WithHint("name an organisation, then an app, then a channel")
	}
	return nil
}
