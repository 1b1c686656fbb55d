package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/client"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/seal"
	"github.com/waxwing-ota/waxwing/internal/keyfile"
)

// createdKey is what keys create and keys rotate print.
type createdKey struct {
	ID         string `json:"id"`
	App        string `json:"app"`
	File       string `json:"file"`
	PublicFile string `json:"public_file"`
	Protected  bool   `json:"protected"` // by a passphrase
	Registered bool   `json:"registered"`
	Config     string `json:"config"` // the public key as a value of capacitor.config
}

func newKeysCreateCommand(g *Globals) *cobra.Command {
	var app, out string
	var noRegister bool
	pass := passphrase{g: g}
	c := &cobra.Command{
		Use:   "create",
		Short: "Make a key, write it to a file, and register its public half",
		Long: `Make an RSA-2048 signing key, write it to FILE (mode 0600, under a passphrase
unless told otherwise) and its public half to FILE.pub, and register the public
half with the app. The private half never leaves this machine. Keep a backup of
FILE: devices in the field take nothing that another key signed.`,
		Example: "  waxwing keys create --app com.example.shop --out waxwing-key.pem",
		Args:    cobra.NoArgs,
	}
	appFlag(c, &app)
	f := c.Flags()
	f.StringVar(&out, "out", "", "file of the private key (required)")
	require(c, "out")
	f.BoolVar(&noRegister, "no-register", false, "only make the file; talk to no server")
	pass.bindNew(f)
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		var cl *client.Client
		if !noRegister {
			var err error
			if cl, err = g.Client(); err != nil {
				return err
			}
		}
		k, err := makeKey(cmd.Context(), cl, &pass, app, out)
		if err != nil {
			return err
		}
		return g.Print(k, func(w io.Writer) { printCreated(w, k) })
	}
	return c
}

// makeKey makes a key file and registers it. cl nil means: do not register.
// The file is written first: a registered key without its file would stop
// every push.
func makeKey(ctx context.Context, cl *client.Client, pass *passphrase, app, out string) (createdKey, error) {
	k := createdKey{App: app, File: out, PublicFile: out + keyfile.PublicSuffix}
	if err := ota.CheckAppID(app); err != nil {
		return k, err
	}
	if cl != nil {
		if _, err := cl.App(ctx, app); err != nil {
			return k, err
		}
	}
	phrase, err := pass.choose(out)
	if err != nil {
		return k, err
	}
	key, err := seal.GenerateKey(rand.Reader)
	if err != nil {
		return k, err
	}
	if err := keyfile.Write(out, key, phrase); err != nil {
		return k, err
	}
	k.ID, k.Config, k.Protected = key.Public().ID(), oneLine(key.Public()), !phrase.IsZero()
	if cl == nil {
		return k, nil
	}
	if _, err := cl.RegisterKey(ctx, app, key.Public().PEM()); err != nil {
		if e, ok := errors.AsType[*ota.Error](err); ok {
			return k, ota.Errorf(e.Kind, e.Code, "the key is in %s, but could not be registered: %s", out, e.Msg).
				WithHint("register it: waxwing keys register %s --app %s", k.PublicFile, app)
		}
		return k, err
	}
	k.Registered = true
	return k, nil
}

func printCreated(w io.Writer, k createdKey) {
	fmt.Fprintf(w, "key %s\n", k.ID)
	protected := "without a passphrase"
	if k.Protected {
		protected = "under a passphrase"
	}
	fmt.Fprintf(w, "  private  %s (%s; keep a backup, and keep it out of version control)\n", k.File, protected)
	fmt.Fprintf(w, "  public   %s\n", k.PublicFile)
	if k.Registered {
		fmt.Fprintf(w, "registered with app %s\n", k.App)
	} else {
		fmt.Fprintf(w, "not registered; do it with: waxwing keys register %s --app %s\n", k.PublicFile, k.App)
	}
	fmt.Fprintf(w, "\nput this into plugins.CapacitorUpdater of capacitor.config:\n  publicKey: \"%s\"\n", k.Config)
}

func newKeysRotateCommand(g *Globals) *cobra.Command {
	var app, out string
	pass := passphrase{g: g}
	c := &cobra.Command{
		Use:   "rotate",
		Short: "Begin to replace an app's key: make a new one beside it",
		Long: `Begin to replace an app's key. The new key is registered beside the old one,
and from then on each push carries a variant for both (give --key twice), so that
devices with either app can be updated. When the native releases with the old key
are out of use, end the overlap with: waxwing keys retire.`,
		Example: "  waxwing keys rotate --app com.example.shop --out waxwing-key-2.pem",
		Args:    cobra.NoArgs,
	}
	appFlag(c, &app)
	c.Flags().StringVar(&out, "out", "", "file of the new private key (required)")
	require(c, "out")
	pass.bindNew(c.Flags())
	c.RunE = func(cmd *cobra.Command, _ []string) error { return runKeysRotate(cmd.Context(), g, &pass, app, out) }
	return c
}

// rotation is what keys rotate prints.
type rotation struct {
	Key createdKey `json:"key"`
	Old []string   `json:"old"` // ids of the keys that stay active beside it
}

func runKeysRotate(ctx context.Context, g *Globals, pass *passphrase, app, out string) error {
	cl, err := g.Client()
	if err != nil {
		return err
	}
	keys, err := cl.Keys(ctx, app)
	if err != nil {
		return err
	}
	r := rotation{Old: []string{}}
	for _, k := range keys {
		if k.State == ota.KeyActive {
			r.Old = append(r.Old, k.ID)
		}
	}
	if len(r.Old) == 0 {
		return ota.Conflict("no_active_key", "app %s has no active key to replace", app).
			WithHint("make its first one: waxwing keys create --app %s --out FILE", app)
	}
	if r.Key, err = makeKey(ctx, cl, pass, app, out); err != nil {
		return err
	}
	return g.Print(r, func(w io.Writer) {
		printCreated(w, r.Key)
		fmt.Fprintf(w, "\nthe overlap begins now:\n  1. push with both keys: --key OLD --key %s\n  2. ship a native release with the new publicKey\n", out)
		for _, id := range r.Old {
			fmt.Fprintf(w, "  3. when no device in use embeds the old key any more: waxwing keys retire '%s' --app %s\n", clean(id), app)
		}
	})
}
