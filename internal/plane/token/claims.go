package token

import (
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Times of ID tokens, in seconds.
const (
	skew        = 60       // how far clocks may differ
	maxLifetime = 2 * 3600 // of an ID token; more is not for one job
)

const maxJTI = 256 // bytes

// idClaims is what is looked at of an ID token: what all have, what those of
// GitHub have, and what those of GitLab have.
type idClaims struct {
	Issuer   string         `json:"iss"`
	Audience jsontext.Value `json:"aud"`
	Expires  *int64         `json:"exp"`
	Issued   *int64         `json:"iat"`
	From     *int64         `json:"nbf"`
	JTI      string         `json:"jti"`

	Ref         string `json:"ref"`
	Environment string `json:"environment"`
	SHA         string `json:"sha"`

	Repository     string `json:"repository"`
	RepositoryID   string `json:"repository_id"`
	OwnerID        string `json:"repository_owner_id"`
	JobWorkflowRef string `json:"job_workflow_ref"`
	EventName      string `json:"event_name"`
	RunID          string `json:"run_id"`

	ProjectPath    string `json:"project_path"`
	ProjectID      string `json:"project_id"`
	NamespaceID    string `json:"namespace_id"`
	ConfigRefURI   string `json:"ci_config_ref_uri"`
	PipelineSource string `json:"pipeline_source"`
	PipelineID     string `json:"pipeline_id"`
	RefType        string `json:"ref_type"`
	RefPath        string `json:"ref_path"`
}

// ciRun is where a CI run comes from, as its issuer says, in the terms of
// trusted publishers.
type ciRun struct {
	Issuer       string `json:"issuer"`
	RepositoryID string `json:"repository_id"`
	OwnerID      string `json:"owner_id"`
	Repository   string `json:"repository"`
	Workflow     string `json:"workflow"` // file and ref it was read from
	Ref          string `json:"ref"`      // refs/...
	Environment  string `json:"environment"`
	Event        string `json:"event"`
	Run          string `json:"run"`
	SHA          string `json:"sha"`

	jti     string
	expires int64 // Unix seconds
}

// readClaims reads the payload of an ID token whose signature is right.
func readClaims(payload []byte) (idClaims, error) {
	var c idClaims
	if err := json.Unmarshal(payload, &c); err != nil {
		return c, claimsError("the ID token cannot be read").WithCause(err)
	}
	return c, nil
}

func claimsError(format string, a ...any) *ota.Error {
	return ota.Errorf(ota.KindUnauthorized, CodeIDTokenClaims, format, a...)
}

// check refuses an ID token that is not for here, or not for now (Unix seconds).
func (c *idClaims) check(audience string, now int64) error {
	switch {
	case !c.isFor(audience):
		return ota.Errorf(ota.KindUnauthorized, CodeIDTokenAudience, "the ID token is made out to somebody else").
			WithHint("its audience must be %s and nothing else", audience)
	case c.Expires == nil:
		return missing("exp")
	case c.Issued == nil:
		return missing("iat")
	case c.JTI == "" || len(c.JTI) > maxJTI:
		return missing("jti")
	case *c.Expires <= now-skew:
		return ota.Errorf(ota.KindUnauthorized, CodeIDTokenExpired, "the ID token has expired").
			WithHint("ask for it in the step that uses it")
	case *c.Issued > now+skew, c.From != nil && *c.From > now+skew:
		return ota.Errorf(ota.KindUnauthorized, CodeIDTokenEarly, "the ID token is not valid yet").
			WithHint("compare the clock of this server")
	case *c.Expires <= *c.Issued || *c.Issued < 0 || *c.Expires-*c.Issued > maxLifetime:
		return claimsError("the ID token is valid for too long").WithHint("set a timeout of at most %d minutes on the job", maxLifetime/60)
	}
	return nil
}

func missing(claim string) error { return claimsError("the ID token has no claim %q", claim) }

// isFor reports whether the audience is the only one: a token for others, too,
// could be sent on by them.
func (c *idClaims) isFor(audience string) bool {
	var one string
	if json.Unmarshal(c.Audience, &one) == nil {
		return one == audience
	}
	var many []string
	return json.Unmarshal(c.Audience, &many) == nil && slices.Equal(many, []string{audience})
}

// run says where the run comes from, in the terms of a provider.
func (c *idClaims) run(p ota.CIProvider) (ciRun, error) {
	r := ciRun{Issuer: c.Issuer, Environment: c.Environment, SHA: c.SHA, jti: c.JTI, expires: *c.Expires}
	var must [][2]string
	if p == ota.ProviderGitHub {
		r.RepositoryID, r.OwnerID, r.Repository = c.RepositoryID, c.OwnerID, c.Repository
		r.Workflow, r.Ref, r.Event, r.Run = c.JobWorkflowRef, c.Ref, c.EventName, c.RunID
		must = [][2]string{
			{"repository_id", r.RepositoryID},
			{"repository_owner_id", r.OwnerID},
			{"repository", r.Repository},
			{"job_workflow_ref", r.Workflow},
			{"ref", r.Ref},
			{"event_name", r.Event},
		}
	} else {
		r.RepositoryID, r.OwnerID, r.Repository = c.ProjectID, c.NamespaceID, c.ProjectPath
		r.Workflow, r.Ref, r.Event, r.Run = c.ConfigRefURI, c.gitlabRef(), c.PipelineSource, c.PipelineID
		must = [][2]string{
			{"project_id", r.RepositoryID},
			{"namespace_id", r.OwnerID},
			{"project_path", r.Repository},
			{"ci_config_ref_uri", r.Workflow},
			{"ref_path", r.Ref},
			{"pipeline_source", r.Event},
		}
	}
	for _, m := range must {
		if m[1] == "" {
			return r, missing(m[0])
		}
	}
	return r, nil
}

// gitlabRef is the whole name of the ref: older servers give only its parts.
func (c *idClaims) gitlabRef() string {
	switch {
	case c.RefPath != "" || c.Ref == "":
		return c.RefPath
	case c.RefType == "branch":
		return "refs/heads/" + c.Ref
	case c.RefType == "tag":
		return "refs/tags/" + c.Ref
	}
	return ""
}
