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

func newSealedPolicyShowCommand(g *Globals) *cobra.Command {
	var app string
	c := &cobra.Command{
		Use:   "show",
		Short: "Show which devices of an app get certificates and content keys",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			p, err := cl.SealedPolicy(cmd.Context(), app)
			if err != nil {
				return err
			}
			return g.Print(p, func(w io.Writer) { printSealedPolicy(w, &p) })
		},
	}
	appFlag(c, &app)
	return c
}

func printSealedPolicy(w io.Writer, p *ota.SealedPolicy) {
	groups := strings.Join(p.Groups, ", ")
	if groups == "" {
		groups = "any"
	}
	facts(
		w, "enrolment", string(p.Enrolment), "groups", groups, "assurance", string(p.MinAssurance)+" or better",
		"certificates", strconv.Itoa(p.CertificateDays)+" days", "grants", fmt.Sprintf("by %s, %d hours", p.Grants, p.GrantHours),
		"broker", p.Broker, "signed reports only", strconv.FormatBool(p.SignedReports),
		"issuer", p.Issuer.URL, "audience", p.Issuer.Audience, "group claim", p.Issuer.GroupClaim, "any nonce", strconv.FormatBool(p.Issuer.AnyNonce),
		"android", p.Android.Package, "apple", p.Apple.AppID, "attestation roots", strconv.Itoa(len(p.Roots)),
		"changed", when(p.UpdatedAt), "by", string(p.UpdatedBy),
	)
}

// sealedPolicyFlags has a flag for every field of the policy.
type sealedPolicyFlags struct {
	p                            ota.SealedPolicy
	enrolment, assurance, grants string
	roots                        []string
}

func (o *sealedPolicyFlags) bind(f *pflag.FlagSet) {
	p := &o.p
	f.StringVar(&o.enrolment, "enrolment", "", "who may enrol devices: closed, id_token or open")
	f.StringSliceVar(&p.Groups, "groups", nil, "groups of the identity provider that get keys, comma separated; \"\" = any device")
	f.StringVar(&o.assurance, "min-assurance", "", "how well devices that get keys must keep their own: none, software, tee or strongbox")
	f.IntVar(&p.CertificateDays, "certificate-days", 30, "how long certificates last, 1 to 30")
	f.IntVar(&p.GrantHours, "grant-hours", 24, "how long a grant lasts, 1 to 24")
	f.BoolVar(&p.SignedReports, "signed-reports", false, "of sealed releases, count only reports signed by enrolled devices")
	f.StringVar(&o.grants, "grants", "", "who decides on keys: server or broker")
	f.StringVar(&p.Broker, "broker-url", "", "https address of the key broker that requests are passed on to; \"\" = devices ask it themselves")
	f.StringVar(&p.Issuer.URL, "issuer", "", "OpenID Connect issuer of the app's users")
	f.StringVar(&p.Issuer.Audience, "audience", "", "client id that ID tokens are made out to")
	f.StringVar(&p.Issuer.GroupClaim, "group-claim", "", "claim that lists a user's groups")
	f.BoolVar(&p.Issuer.AnyNonce, "any-nonce", false, "take ID tokens that were not made for the enrolment; a stolen one then enrols")
	f.StringVar(&p.Android.Package, "android-package", "", "package name that key attestations must be of")
	f.StringSliceVar(&p.Android.Digests, "android-digests", nil, "SHA-256 of the certificates that the Android app is signed with, in hex, comma separated")
	f.StringVar(&p.Apple.AppID, "apple-app-id", "", "TEAMID.bundle.id that App Attest statements must be of")
	f.StringSliceVar(&o.roots, "attestation-roots", nil, "files of certificates in PEM that attestations must lead to; \"\" = none")
}

func (o *sealedPolicyFlags) patch(f *pflag.FlagSet, now *ota.SealedPolicy) (ota.SealedPolicyPatch, error) {
	p := &o.p
	enrolment, assurance, grants := ota.Enrolment(o.enrolment), ota.Assurance(o.assurance), ota.GrantMode(o.grants)
	out := ota.SealedPolicyPatch{
		Enrolment: given(f, "enrolment", &enrolment), Groups: given(f, "groups", &p.Groups), MinAssurance: given(f, "min-assurance", &assurance),
		CertificateDays: given(f, "certificate-days", &p.CertificateDays), GrantHours: given(f, "grant-hours", &p.GrantHours),
		SignedReports: given(f, "signed-reports", &p.SignedReports), Grants: given(f, "grants", &grants), Broker: given(f, "broker-url", &p.Broker),
	}
	issuer, android, apple := now.Issuer, now.Android, now.Apple
	for flag, field := range map[string][2]*string{
		"issuer": {&issuer.URL, &p.Issuer.URL}, "audience": {&issuer.Audience, &p.Issuer.Audience}, "group-claim": {&issuer.GroupClaim, &p.Issuer.GroupClaim},
	} {
		if f.Changed(flag) {
			*field[0], out.Issuer = *field[1], &issuer
		}
	}
	if f.Changed("any-nonce") {
		issuer.AnyNonce, out.Issuer = p.Issuer.AnyNonce, &issuer
	}
	if f.Changed("android-package") {
		android.Package, out.Android = p.Android.Package, &android
	}
	if f.Changed("android-digests") {
		android.Digests, out.Android = p.Android.Digests, &android
	}
	if f.Changed("apple-app-id") {
		apple.AppID, out.Apple = p.Apple.AppID, &apple
	}
	if !f.Changed("attestation-roots") {
		return out, nil
	}
	roots := []string{}
	for _, path := range o.roots {
		b, err := os.ReadFile(path)
		if err != nil {
			return out, ota.Invalid("file_unreadable", "cannot read the certificate %s", path).WithCause(err).WithField("attestation-roots")
		}
		roots = append(roots, string(b))
	}
	out.Roots = &roots
	return out, nil
}

func newSealedPolicySetCommand(g *Globals) *cobra.Command {
	var app string
	var o sealedPolicyFlags
	c := &cobra.Command{
		Use:   "set",
		Short: "Change which devices of an app get certificates and content keys",
		Example: `  waxwing sealed policy set --app com.example.shop --enrolment id_token \
    --issuer https://id.example.com --audience shop-app --group-claim groups --groups staff
  waxwing sealed policy set --app com.example.shop --grants broker --broker-url https://keys.example.com/v1/grant`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			now, err := cl.SealedPolicy(cmd.Context(), app)
			if err != nil {
				return err
			}
			patch, err := o.patch(cmd.Flags(), &now)
			if err != nil {
				return err
			}
			p, err := cl.SetSealedPolicy(cmd.Context(), app, patch)
			if err != nil {
				return err
			}
			return g.Print(p, func(w io.Writer) { printSealedPolicy(w, &p) })
		},
	}
	appFlag(c, &app)
	o.bind(c.Flags())
	return c
}
