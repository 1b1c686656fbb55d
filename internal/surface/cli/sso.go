package cli

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func newSSOCommand(g *Globals) *cobra.Command {
	return newGroup("sso", "Configure single sign-on with OpenID Connect issuers",
		newSSOAddCommand(g), newSSOListCommand(g), newSSOShowCommand(g), newSSOUpdateCommand(g), newSSODeleteCommand(g))
}

// ssoFlags are the flags of add and update.
type ssoFlags struct {
	name, clientID, secretFile, groupClaim string
	domains, trusted, groups               []string
	create                                 bool
}

func (o *ssoFlags) bind(f *pflag.FlagSet) {
	f.StringVar(&o.name, "name", "", "name on the button")
	f.StringVar(&o.clientID, "client-id", "", "client id that the issuer gave")
	f.StringVar(&o.secretFile, "client-secret-file", "", "file with the client secret; - reads standard input")
	f.StringSliceVar(&o.domains, "domain", nil, "domain of mail addresses that may sign in; may be repeated")
	f.StringSliceVar(&o.trusted, "trusted-domain", nil, "of those, one whose users that are here already the issuer signs in too")
	f.BoolVar(&o.create, "create-users", false, "make users of people who are not here yet")
	f.StringVar(&o.groupClaim, "group-claim", "", "claim of the ID token that lists groups, such as groups")
	f.StringArrayVar(&o.groups, "group", nil, "ISSUER-GROUP=GROUP-ID: who is in the one is put into the other; may be repeated")
}

// clientSecret reads the secret from its file: never from the command line,
// which others on the machine can see.
func (o *ssoFlags) clientSecret(g *Globals) (string, error) {
	if o.secretFile == "" {
		return "", nil
	}
	var raw []byte
	var err error
	if o.secretFile == "-" {
		raw, err = io.ReadAll(io.LimitReader(g.In, 4096))
	} else {
		raw, err = os.ReadFile(o.secretFile)
	}
	if err != nil {
		return "", usagef("cannot read the client secret").WithCause(err).WithField("client-secret-file")
	}
	return strings.TrimSpace(string(raw)), nil
}

func (o *ssoFlags) groupMap() (map[string]int64, error) {
	out := map[string]int64{}
	for _, text := range o.groups {
		i := strings.LastIndexByte(text, '=')
		id, err := strconv.ParseInt(text[i+1:], 10, 64)
		if i <= 0 || err != nil {
			return nil, usagef("%q is not ISSUER-GROUP=GROUP-ID", text).WithHint("the ids are in: waxwing groups list")
		}
		out[text[:i]] = id
	}
	return out, nil
}

func newSSOAddCommand(g *Globals) *cobra.Command {
	var o ssoFlags
	c := &cobra.Command{
		Use:   "add ID ISSUER",
		Short: "Add a single sign-on provider",
		Long: `Add an OpenID Connect issuer that people may sign in with. Register Waxwing at
the issuer as a web application with the redirect address
SERVER/auth/oidc/ID/callback; it gives you client id and secret.`,
		Example: "  waxwing sso add okta https://example.okta.com --client-id 0oa1 --client-secret-file secret.txt --domain example.com --create-users",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			sec, err := o.clientSecret(g)
			if err != nil {
				return err
			}
			groups, err := o.groupMap()
			if err != nil {
				return err
			}
			cl, err := g.Client()
			if err != nil {
				return err
			}
			p, err := cl.CreateSSOProvider(cmd.Context(), ota.NewSSOProvider{
				ID: args[0], Name: o.name, Issuer: args[1], ClientID: o.clientID, ClientSecret: sec, Domains: o.domains,
				TrustedDomains: o.trusted, CreateUsers: o.create, GroupClaim: o.groupClaim, Groups: groups,
			})
			if err != nil {
				return err
			}
			return g.Print(p, func(w io.Writer) { fmt.Fprintf(w, "added %s\n", clean(p.ID)) })
		},
	}
	o.bind(c.Flags())
	require(c, "client-id")
	require(c, "domain")
	return c
}

func newSSOListCommand(g *Globals) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List single sign-on providers",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			items, err := cl.SSOProviders(cmd.Context())
			if err != nil {
				return err
			}
			return printList(g, items, "", []string{"ID", "NAME", "ISSUER", "DOMAINS", "CREATES USERS"}, func(p ota.SSOProvider) []string {
				return []string{p.ID, p.Name, p.Issuer, strings.Join(p.Domains, " "), strconv.FormatBool(p.CreateUsers)}
			})
		},
	}
}

func newSSOShowCommand(g *Globals) *cobra.Command {
	return &cobra.Command{
		Use:   "show ID",
		Short: "Show a single sign-on provider",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			p, err := cl.SSOProvider(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return printProvider(g, p)
		},
	}
}

func printProvider(g *Globals, p ota.SSOProvider) error {
	return g.Print(p, func(w io.Writer) {
		var groups []string
		for name, id := range p.Groups {
			groups = append(groups, fmt.Sprintf("%s=%d", name, id))
		}
		facts(w, "id", p.ID, "name", p.Name, "issuer", p.Issuer, "client id", p.ClientID, "domains", strings.Join(p.Domains, " "),
			"trusted domains", strings.Join(p.TrustedDomains, " "), "creates users", strconv.FormatBool(p.CreateUsers),
			"group claim", p.GroupClaim, "groups", strings.Join(groups, " "), "created", when(p.CreatedAt)+" by "+string(p.CreatedBy))
	})
}

func newSSOUpdateCommand(g *Globals) *cobra.Command {
	var o ssoFlags
	c := &cobra.Command{
		Use:   "update ID",
		Short: "Change a single sign-on provider; only the flags given",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			in, err := o.patch(g, cmd.Flags().Changed)
			if err != nil {
				return err
			}
			cl, err := g.Client()
			if err != nil {
				return err
			}
			p, err := cl.UpdateSSOProvider(cmd.Context(), args[0], in)
			if err != nil {
				return err
			}
			return printProvider(g, p)
		},
	}
	o.bind(c.Flags())
	return c
}

// patch is what the flags given change.
func (o *ssoFlags) patch(g *Globals, given func(string) bool) (in ota.SSOProviderPatch, err error) {
	if given("name") {
		in.Name = &o.name
	}
	if given("client-id") {
		in.ClientID = &o.clientID
	}
	if given("client-secret-file") {
		sec, err := o.clientSecret(g)
		if err != nil {
			return in, err
		}
		in.ClientSecret = &sec
	}
	if given("domain") {
		in.Domains = &o.domains
	}
	if given("trusted-domain") {
		in.TrustedDomains = &o.trusted
	}
	if given("create-users") {
		in.CreateUsers = &o.create
	}
	if given("group-claim") {
		in.GroupClaim = &o.groupClaim
	}
	if given("group") {
		groups, err := o.groupMap()
		if err != nil {
			return in, err
		}
		in.Groups = &groups
	}
	return in, nil
}

func newSSODeleteCommand(g *Globals) *cobra.Command {
	return &cobra.Command{
		Use:   "delete ID",
		Short: "Delete a single sign-on provider; users stay",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			if err := cl.DeleteSSOProvider(cmd.Context(), args[0]); err != nil {
				return err
			}
			return g.printDone(args[0], "deleted %s", args[0])
		},
	}
}
