package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/seal"
)

func newKeysCommand(g *Globals) *cobra.Command {
	c := newGroup("keys", "Make, register and retire signing keys",
		newKeysCreateCommand(g), newKeysShowCommand(g), newKeysListCommand(g), newKeysExportCommand(g),
		newKeysRotateCommand(g), newKeysRetireCommand(g), newKeysActivateCommand(g), newKeysRegisterCommand(g))
	c.Aliases = []string{"key"}
	c.Long = `Make, register and retire signing keys. The private half stays in its file on
this machine; the server and the app get the public half.`
	return c
}

func newKeysListCommand(g *Globals) *cobra.Command {
	var app string
	c := &cobra.Command{
		Use:   "list",
		Short: "List an app's registered keys",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			keys, err := cl.Keys(cmd.Context(), app)
			if err != nil {
				return err
			}
			return printList(g, keys, "", []string{"KEY", "STATE", "REGISTERED"}, func(k ota.Key) []string {
				return []string{k.ID, string(k.State), when(k.CreatedAt)}
			})
		},
	}
	appFlag(c, &app)
	return c
}

// shownKey is a key file as it may be shown.
type shownKey struct {
	ID        string `json:"id"`
	PublicPEM string `json:"public_pem"`
	Config    string `json:"config"` // the public key as a value of capacitor.config
}

func newKeysShowCommand(g *Globals) *cobra.Command {
	pass := passphrase{g: g}
	c := &cobra.Command{
		Use:   "show FILE",
		Short: "Show the id and the public half of a key file",
		Long: `Show the id and the public half of a key file. The public half is read from
FILE.pub if that is there, so that no passphrase is needed; FILE may also be a
public key itself.`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			pub, err := publicOf(args[0], &pass)
			if err != nil {
				return err
			}
			k := shownKey{ID: pub.ID(), PublicPEM: pub.PEM(), Config: oneLine(pub)}
			return g.Print(k, func(w io.Writer) {
				fmt.Fprintf(w, "id         %s\npublicKey  %s\n\n%s", k.ID, k.Config, k.PublicPEM)
			})
		},
	}
	pass.bind(c.Flags())
	return c
}

// oneLine is a public key as it is written into capacitor.config.
func oneLine(k *seal.PublicKey) string { return strings.ReplaceAll(k.PEM(), "\n", `\n`) }

// publicOf reads the public half that belongs to a file: the file itself if it
// is a public key, the .pub beside it, or the private key opened.
func publicOf(path string, pass *passphrase) (*seal.PublicKey, error) {
	if k, err := readPublic(path); err == nil {
		return k, nil
	}
	if k, err := readPublic(path + ".pub"); err == nil {
		return k, nil
	}
	k, err := pass.read(path)
	if err != nil {
		return nil, err
	}
	return k.Public(), nil
}

// maxPublic is far above any public key's file.
const maxPublic = 16 << 10

// readPublic reads a public key file.
func readPublic(path string) (*seal.PublicKey, error) {
	f, err := os.Open(path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, ota.NotFound("key_not_found", "there is no file %s", path).WithHint("name a key file, or its .pub")
		}
		return nil, ota.Invalid("key_unreadable", "cannot read %s: %s", path, err).WithHint("check that you may read it")
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxPublic))
	if err != nil {
		return nil, ota.Invalid("key_unreadable", "cannot read %s: %s", path, err).WithHint("check that you may read it")
	}
	return seal.ParsePublicKey(b)
}

func newKeysRegisterCommand(g *Globals) *cobra.Command {
	var app string
	c := &cobra.Command{
		Use:     "register FILE.pub",
		Short:   "Register the public half of a key with an app",
		Example: "  waxwing keys register waxwing-key.pem.pub --app com.example.shop",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			pub, err := readPublic(args[0])
			if err != nil {
				return err
			}
			cl, err := g.Client()
			if err != nil {
				return err
			}
			k, err := cl.RegisterKey(cmd.Context(), app, pub.PEM())
			if err != nil {
				return err
			}
			return printKey(g, k, "registered")
		},
	}
	appFlag(c, &app)
	return c
}

func printKey(g *Globals, k ota.Key, what string) error {
	return g.Print(k, func(w io.Writer) { fmt.Fprintf(w, "%s key %s (%s)\n", what, clean(k.ID), k.State) })
}

func newKeysRetireCommand(g *Globals) *cobra.Command {
	var app string
	c := &cobra.Command{
		Use:   "retire KEYID",
		Short: "Publish no more bundles for a key; what is published stays",
		Long: `Publish no more bundles for a key. Devices that still embed it keep what they
run and what was published for them, and get nothing newer: retire a key when
the native releases that embed it are out of use.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runKeyState(cmd.Context(), g, app, args[0], ota.KeyRetired, "retired")
		},
	}
	appFlag(c, &app)
	return c
}

func newKeysActivateCommand(g *Globals) *cobra.Command {
	var app string
	c := &cobra.Command{
		Use:   "activate KEYID",
		Short: "Take a retired key into use again",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runKeyState(cmd.Context(), g, app, args[0], ota.KeyActive, "activated")
		},
	}
	appFlag(c, &app)
	return c
}

func runKeyState(ctx context.Context, g *Globals, app, id string, state ota.KeyState, what string) error {
	cl, err := g.Client()
	if err != nil {
		return err
	}
	k, err := cl.SetKeyState(ctx, app, id, state)
	if err != nil {
		return err
	}
	return printKey(g, k, what)
}
