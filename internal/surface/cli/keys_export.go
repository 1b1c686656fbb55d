package cli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/keyfile"
)

func newKeysExportCommand(g *Globals) *cobra.Command {
	var out string
	var private, bare bool
	pass := passphrase{g: g}
	c := &cobra.Command{
		Use:   "export FILE",
		Short: "Write the public half of a key file, or the private key for another tool",
		Long: `Write the public half of a key file to standard output or --out. With --private
write the private key itself, without a passphrase, to a new file of mode 0600:
a PKCS#1 PEM that other tools can read. It is never printed.`,
		Example: "  waxwing keys export waxwing-key.pem --out public.pem\n" +
			"  waxwing keys export waxwing-key.pem --private --no-passphrase --out bare.pem",
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if !private {
				return runExportPublic(g, &pass, args[0], out)
			}
			if out == "" || !bare {
				return usagef("--private needs --out FILE and --no-passphrase").
					WithHint("the private key is written to a file only, readable by you alone")
			}
			return runExportPrivate(g, &pass, args[0], out)
		},
	}
	pass.bind(c.Flags())
	c.Flags().StringVar(&out, "out", "", "file to write, which must not exist")
	c.Flags().BoolVar(&private, "private", false, "the private key instead of the public half")
	c.Flags().BoolVar(&bare, "no-passphrase", false, "yes, write the private key without a passphrase")
	return c
}

// exported is what keys export prints.
type exported struct {
	ID        string `json:"id"`
	PublicPEM string `json:"public_pem"`
	Out       string `json:"out"` // "" = only printed
}

func runExportPublic(g *Globals, pass *passphrase, file, out string) error {
	pub, err := publicOf(file, pass)
	if err != nil {
		return err
	}
	if out != "" {
		if err := writeNew(out, []byte(pub.PEM()), 0o644); err != nil {
			return err
		}
	}
	return g.Print(exported{pub.ID(), pub.PEM(), out}, func(w io.Writer) {
		if out == "" {
			fmt.Fprint(w, pub.PEM())
			return
		}
		fmt.Fprintf(w, "wrote the public half of key %s to %s\n", pub.ID(), out)
	})
}

func runExportPrivate(g *Globals, pass *passphrase, file, out string) error {
	k, err := pass.read(file)
	if err != nil {
		return err
	}
	if err := keyfile.Write(out, k, keyfile.Secret{}); err != nil {
		return err
	}
	return g.Print(exported{k.Public().ID(), k.Public().PEM(), out}, func(w io.Writer) {
		fmt.Fprintf(w, "wrote private key %s without a passphrase to %s\n", k.Public().ID(), out)
	})
}
