package token

import (
	"path"
	"slices"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// matches refuses a run that is not what a trusted publisher of its repository
// asks for. Whoever sees the answer proved to be that repository.
func matches(p *ota.TrustedPublisher, r *ciRun) error {
	fromPull := isPullRequest(r.Event)
	switch {
	case p.Issuer != r.Issuer || p.RepositoryID != r.RepositoryID:
		return mismatch(p, "repository_id", "the run is of another repository")
	case p.OwnerID != r.OwnerID:
		return mismatch(p, "owner_id", "the repository belongs to another owner than it did")
	case fromPull && !p.PullRequests:
		return mismatch(p, "pull_requests", "runs of pull requests are not let in")
	case !fromPull && !matchRef(p.Ref, r.Ref):
		return mismatch(p, "ref", "the run is on another ref")
	case !matchWorkflow(p, r):
		return mismatch(p, "workflow", "the run is of another workflow, or the workflow is of another ref")
	case p.Environment != "" && p.Environment != r.Environment:
		return mismatch(p, "environment", "the job runs in another environment, or in none")
	}
	return nil
}

func mismatch(p *ota.TrustedPublisher, field, why string) error {
	return ota.Errorf(ota.KindUnauthorized, CodePublisherRefused, "the trusted publisher %q does not let this run in: %s", p.Name, why).
		WithField(field).WithHint("compare the run with: waxwing trusted-publishers list")
}

// isPullRequest reports whether an event of GitHub or a source of GitLab runs
// code, or on behalf, of somebody who may only propose.
func isPullRequest(event string) bool {
	return strings.HasPrefix(event, "pull_request") || event == "merge_request_event" || event == "external_pull_request_event"
}

// matchRef compares a ref with a publisher's. Only tags may have a '*': it
// stands at the end for one or more characters, none of them '/'.
func matchRef(pattern, ref string) bool {
	head, wild := strings.CutSuffix(pattern, "*")
	if !wild {
		return pattern == ref
	}
	rest, ok := strings.CutPrefix(ref, head)
	return ok && rest != "" && !strings.Contains(rest, "/")
}

// checkRef refuses a ref pattern that lets in more than one may think.
func checkRef(pattern string) error {
	name, isTag := strings.CutPrefix(pattern, "refs/tags/")
	branch, isBranch := strings.CutPrefix(pattern, "refs/heads/")
	ok := isTag && strings.Count(name, "*") <= 1 && (!strings.Contains(name, "*") || strings.HasSuffix(name, "*")) ||
		isBranch && !strings.Contains(branch, "*")
	if !ok || name+branch == "" || len(pattern) > maxText || strings.ContainsFunc(pattern, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return publisherInvalid("ref", "%q is no branch and no tag", pattern).
			WithHint("write a branch (refs/heads/main), a tag (refs/tags/v1.0.0) or tags that begin alike (refs/tags/v*)")
	}
	return nil
}

// matchWorkflow compares the file that defines the job. One of the repository
// itself must come from the ref that the run is on; one of another repository
// is named with its ref.
func matchWorkflow(p *ota.TrustedPublisher, r *ciRun) bool {
	if strings.Contains(p.Workflow, "@") {
		return p.Workflow == r.Workflow
	}
	own := r.Repository + "/" + p.Workflow
	if p.Provider == ota.ProviderGitLab {
		own = strings.TrimPrefix(p.Issuer, "https://") + "/" + r.Repository + "//" + p.Workflow
	}
	return own+"@"+r.Ref == r.Workflow
}

func checkWorkflow(provider ota.CIProvider, w string) error {
	file, ref, elsewhere := strings.Cut(w, "@")
	plain := !strings.ContainsFunc(w, func(r rune) bool { return r <= ' ' || r == 0x7f })
	switch {
	case w == "" || len(w) > maxText || !plain || strings.Contains(ref, "@"):
	case elsewhere:
		if strings.HasPrefix(ref, "refs/") && strings.Count(file, "/") >= 3 {
			return nil
		}
	case provider == ota.ProviderGitHub:
		if dir, name := path.Split(w); dir == ".github/workflows/" && slices.Contains([]string{".yml", ".yaml"}, path.Ext(name)) {
			return nil
		}
	case path.Clean(w) == w && !path.IsAbs(w) && !strings.HasPrefix(w, "../"):
		return nil
	}
	return publisherInvalid("workflow", "%q is no workflow", w).
		WithHint("write .github/workflows/release.yml or .gitlab-ci.yml; one of another repository as its claim has it, with @refs/...")
}
