package cli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func newPublishersAddCommand(g *Globals) *cobra.Command {
	var (
		in              ota.NewPublisher
		provider, scope string
		role            string
	)
	c := &cobra.Command{
		Use:   "add NAME",
		Short: "Let the CI runs of a repository in",
		Long: `Let CI runs of one repository exchange their ID token for an API token of 15
minutes. The repository and its owner are named by their numeric ids, which a
rename keeps and a fork does not have. The workflow is the file that defines the
job: .github/workflows/release.yml, or .gitlab-ci.yml; it must come from the ref
that the run is on. One of another repository is written as the ID token has it,
with its ref: owner/repo/.github/workflows/release.yml@refs/heads/main.

The ref is a branch (refs/heads/main), a tag (refs/tags/v1.0.0) or tags that
begin alike (refs/tags/v*): the star stands at the end for anything but a slash.
Branches take no star. Runs of pull requests are let in only if you say so.`,
		Example: "  waxwing trusted-publishers add shop --provider github --repository-id 1296269 --owner-id 583231 --workflow .github/workflows/release.yml --ref refs/heads/main --environment production --scope main/com.example.shop/production --role release-manager",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			if in.Scope, err = ota.ParseScope(scope); err != nil {
				return err
			}
			in.Name, in.Provider, in.Role = args[0], ota.CIProvider(provider), ota.Role(role)
			cl, err := g.Client()
			if err != nil {
				return err
			}
			p, err := cl.CreatePublisher(cmd.Context(), in)
			if err != nil {
				return err
			}
			return g.Print(p, func(w io.Writer) {
				fmt.Fprintf(w, "%s\n", clean(fmt.Sprintf("runs of repository %s of %s are %s of %s", p.RepositoryID, p.Issuer, p.Role, p.Scope)))
			})
		},
	}
	f := c.Flags()
	f.StringVar(&provider, "provider", "", "github or gitlab (required)")
	f.StringVar(&in.Issuer, "issuer", "", "issuer of the ID tokens of a server of your own (default that of github.com or gitlab.com)")
	f.StringVar(&in.RepositoryID, "repository-id", "", "numeric id of the repository or project (required)")
	f.StringVar(&in.OwnerID, "owner-id", "", "numeric id of its owner or namespace (required)")
	f.StringVar(&in.Repository, "repository", "", "its name, for people")
	f.StringVar(&in.Workflow, "workflow", "", "file that defines the job (required)")
	f.StringVar(&in.Ref, "ref", "", "branch or tag that the run is on (required)")
	f.StringVar(&in.Environment, "environment", "", "environment that the job must run in")
	f.BoolVar(&in.PullRequests, "pull-requests", false, "let in runs of pull requests, too")
	f.StringVar(&role, "role", "", "release-manager, developer, tester or viewer (required)")
	f.StringVar(&scope, "scope", "", "where: main, main/APP or main/APP/CHANNEL (required)")
	f.StringArrayVar(&in.Actions, "action", nil, "what it may do, such as bundle.create; repeat it for several (default all of the role)")
	for _, name := range []string{"provider", "repository-id", "owner-id", "workflow", "ref", "role", "scope"} {
		require(c, name)
	}
	return c
}
