package supply

import (
	"context"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/provenance"
)

// gitTime bounds one question to git; a huge work tree takes long to compare.
const gitTime = 20 * time.Second

// FindOrigin says where the sources in a folder come from, as far as git and
// the variables of the CI run tell. What git says of the work tree comes first.
// What cannot be found out stays empty.
func FindOrigin(ctx context.Context, dir string, env func(string) string) provenance.Origin {
	o := fromCI(env)
	if commit := git(ctx, dir, "rev-parse", "--verify", "HEAD"); isCommit(commit) {
		if o.Commit != commit {
			o.Commit, o.Ref = commit, ""
		}
		if o.Ref == "" {
			o.Ref = printable(git(ctx, dir, "symbolic-ref", "-q", "HEAD"))
		}
		o.Dirty = git(ctx, dir, "status", "--porcelain", "--untracked-files=normal") != ""
		if remote := CleanRepository(git(ctx, dir, "config", "--get", "remote.origin.url")); remote != "" {
			o.Repository = remote
		}
	}
	return o
}

// fromCI reads the variables of GitHub Actions and GitLab CI.
func fromCI(env func(string) string) provenance.Origin {
	var o provenance.Origin
	switch {
	case env("GITHUB_ACTIONS") == "true":
		o.CI, o.Ref = "github-actions", env("GITHUB_REF")
		o.Repository = CleanRepository(env("GITHUB_SERVER_URL") + "/" + env("GITHUB_REPOSITORY"))
		o.Commit = env("GITHUB_SHA")
		if run := env("GITHUB_RUN_ID"); run != "" && o.Repository != "" {
			o.Run = o.Repository + "/actions/runs/" + url.PathEscape(run)
			if attempt := env("GITHUB_RUN_ATTEMPT"); attempt != "" {
				o.Run += "/attempts/" + url.PathEscape(attempt)
			}
		}
	case env("GITLAB_CI") == "true":
		o.CI, o.Ref = "gitlab-ci", env("CI_COMMIT_REF_NAME")
		o.Repository, o.Run, o.Commit = CleanRepository(env("CI_PROJECT_URL")), CleanRepository(env("CI_JOB_URL")), env("CI_COMMIT_SHA")
	}
	if !isCommit(o.Commit) {
		o.Commit = ""
	}
	o.Ref = printable(o.Ref)
	return o
}

var commitForm = regexp.MustCompile(`^(?:[0-9a-f]{40}|[0-9a-f]{64})$`)

func isCommit(s string) bool { return commitForm.MatchString(s) }

// printable returns a short text as it is, and anything else as none.
func printable(s string) string {
	if len(s) > 255 || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return ""
	}
	return s
}

// scpForm is git's short form of an ssh address.
var scpForm = regexp.MustCompile(`^(?:[^@/:\s]+@)?([A-Za-z0-9.-]+):([^/\s][^\s]*)$`)

// CleanRepository returns a repository's address without user, password, query
// and fragment; "" for folders of this machine and what is no address.
func CleanRepository(s string) string {
	if len(s) > 255 || printable(s) == "" {
		return ""
	}
	if !strings.Contains(s, "://") {
		m := scpForm.FindStringSubmatch(s)
		if m == nil || len(m[1]) < 2 { // one letter is a drive
			return ""
		}
		return "ssh://" + m[1] + "/" + m[2]
	}
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Path == "" || u.Path == "/" {
		return ""
	}
	switch u.Scheme {
	case "https", "http", "ssh", "git":
	default:
		return ""
	}
	u.User, u.RawQuery, u.Fragment, u.RawFragment, u.ForceQuery = nil, "", "", "", false
	return u.String()
}

// git asks git one question; "" if it has no answer. Nothing that a repository's
// configuration names is run.
func git(ctx context.Context, dir string, args ...string) string {
	ctx, cancel := context.WithTimeout(ctx, gitTime)
	defer cancel()
	all := append([]string{"-c", "core.fsmonitor=false", "-c", "core.hooksPath=" + os.DevNull, "--no-optional-locks", "-C", dir}, args...)
	out, err := exec.CommandContext(ctx, "git", all...).Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}
