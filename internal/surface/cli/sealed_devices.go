package cli

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func newSealedDevicesListCommand(g *Globals) *cobra.Command {
	var app string
	var f ota.SealedDeviceFilter
	var only bool
	var page ota.Page
	c := &cobra.Command{
		Use:   "list",
		Short: "List enrolled devices, newest first",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().Changed("revoked") {
				f.Revoked = &only
			}
			cl, err := g.Client()
			if err != nil {
				return err
			}
			items, next, err := cl.SealedDevices(cmd.Context(), app, f, page)
			if err != nil {
				return err
			}
			return printList(g, items, next, []string{"DEVICE", "SUBJECT", "ASSURANCE", "SERIAL", "UNTIL", "STATE", "THUMBPRINT"}, func(d ota.SealedDevice) []string {
				return []string{d.Device, d.Subject, string(d.Assurance), strconv.FormatInt(d.Serial, 10), when(d.ExpiresAt), sealedState(&d), d.Thumbprint}
			})
		},
	}
	appFlag(c, &app)
	c.Flags().StringVar(&f.Device, "device", "", "only keys of this device")
	c.Flags().StringVar(&f.Subject, "subject", "", "only devices of this user of the identity provider")
	c.Flags().BoolVar(&only, "revoked", false, "only those that were revoked; --revoked=false, only the others")
	pageFlags(c.Flags(), &page)
	return c
}

func sealedState(d *ota.SealedDevice) string {
	if d.Revoked {
		return "revoked"
	}
	return "enrolled"
}

func newSealedDevicesShowCommand(g *Globals) *cobra.Command {
	var app string
	c := &cobra.Command{
		Use:   "show THUMBPRINT",
		Short: "Show an enrolled device",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			d, err := cl.SealedDevice(cmd.Context(), app, args[0])
			if err != nil {
				return err
			}
			return g.Print(d, func(w io.Writer) {
				facts(
					w, "device", d.Device, "thumbprint", d.Thumbprint, "subject", d.Subject, "groups", strings.Join(d.Groups, ", "),
					"platform", d.Platform, "assurance", string(d.Assurance), "because", strings.Join(d.Signals, "; "),
					"serial", strconv.FormatInt(d.Serial, 10), "enrolled", when(d.EnrolledAt), "issued", when(d.IssuedAt), "expires", when(d.ExpiresAt),
					"keys granted", strconv.FormatInt(d.Grants, 10), "last key", when(d.GrantedAt),
					"last report", strconv.FormatInt(d.Reports, 10), "reports left out", strconv.FormatInt(d.Lost, 10),
					"state", sealedState(&d), "revoked", when(d.RevokedAt), "reason", d.Reason,
				)
			})
		},
	}
	appFlag(c, &app)
	return c
}

func newSealedRevokeCommand(g *Globals) *cobra.Command {
	var app, serials string
	var in ota.NewSealedRevocation
	c := &cobra.Command{
		Use:   "revoke",
		Short: "Revoke a device, a user or a range of certificates: no more keys from now on",
		Long: `Revoke a device, a user or a range of certificates: no more keys from now on.

What the device decrypted before stays decrypted, and a grant that it has holds
until it ends, a day at most. To shut it out of what comes, publish the next
release under a new epoch.`,
		Example: `  waxwing sealed devices revoke --app com.example.shop --device 0b6c9e0e-7f0d-4b1e-9a7a-0c1d2e3f4a5b --reason 'lost'
  waxwing sealed devices revoke --app com.example.shop --subject 00u1ab2 --reason 'left the company'
  waxwing sealed devices revoke --app com.example.shop --serials 100-250 --reason 'issued during the incident'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if serials != "" {
				from, to, _ := strings.Cut(serials, "-")
				if to == "" {
					to = from
				}
				var err1, err2 error
				in.From, err1 = strconv.ParseInt(from, 10, 64)
				in.To, err2 = strconv.ParseInt(to, 10, 64)
				if err1 != nil || err2 != nil {
					return usagef("%q is no range of serials", serials).WithHint("such as --serials 100-250, or --serials 7")
				}
			}
			cl, err := g.Client()
			if err != nil {
				return err
			}
			r, err := cl.RevokeSealed(cmd.Context(), app, in)
			if err != nil {
				return err
			}
			return g.Print(r, func(w io.Writer) {
				fmt.Fprintf(w, "revoked %s %s (revocation %d)\n", r.Kind, clean(revoked(&r)), r.ID)
			})
		},
	}
	appFlag(c, &app)
	f := c.Flags()
	f.StringVar(&in.Device, "device", "", "device id")
	f.StringVar(&in.Subject, "subject", "", "subject that the identity provider names")
	f.StringVar(&serials, "serials", "", "serial of a certificate, or a range of them, such as 100-250")
	f.StringVar(&in.Reason, "reason", "", "why (required)")
	require(c, "reason")
	c.MarkFlagsMutuallyExclusive("device", "subject", "serials")
	c.MarkFlagsOneRequired("device", "subject", "serials")
	return c
}
