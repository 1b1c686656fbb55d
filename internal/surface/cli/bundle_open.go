package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/core/cobblestone"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/seal"
	"github.com/waxwing-ota/waxwing/internal/publish"
)

// openOptions name a bundle to check or to open: a published version, or a zip
// on this machine with what devices are told about it.
type openOptions struct {
	app                  string
	publicKey, key       string
	file                 string
	checksum, sessionKey string
	epochKey             string
	pass                 passphrase
}

func (o *openOptions) bind(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&o.app, "app", "", "app id; required for a published version")
	f.StringVar(&o.publicKey, "public-key", "", "public key file, as the app embeds it")
	f.StringVar(&o.key, "key", "", "private key file, instead of the public one (default for both: the plain variant)")
	o.pass.bind(f)
	f.StringVar(&o.file, "file", "", "zip on this machine instead of a published version")
	f.StringVar(&o.checksum, "checksum", "", "with --file: checksum as devices are told it")
	f.StringVar(&o.sessionKey, "session-key", "", "with --file: session key as devices are told it")
	c.MarkFlagsMutuallyExclusive("public-key", "key")
	c.MarkFlagsMutuallyExclusive("file", "app")
}

// check refuses what cannot go together.
func (o *openOptions) check(args []string) error {
	switch {
	case o.file == "" && len(args) == 0:
		return usagef("name a published VERSION, or a zip with --file")
	case o.file != "" && len(args) > 0:
		return usagef("name a published VERSION or a zip with --file, not both")
	case o.file == "" && o.app == "":
		return usagef("--app is needed for a published version")
	case o.file == "" && (o.checksum != "" || o.sessionKey != ""):
		return usagef("--checksum and --session-key go with --file")
	case o.file != "" && o.checksum == "":
		return usagef("--file needs the --checksum that devices are told")
	case o.sessionKey != "" && o.publicKey == "" && o.key == "":
		return usagef("an encrypted zip is opened with --public-key or --key")
	}
	return nil
}

// public returns the key to open with, nil for a plain bundle.
func (o *openOptions) public() (*seal.PublicKey, error) {
	switch {
	case o.publicKey != "":
		return readPublic(o.publicKey)
	case o.key != "":
		return publicOf(o.key, &o.pass)
	}
	return nil, nil
}

// loose opens the zip of --file; the caller must close it.
func (o *openOptions) loose(key *seal.PublicKey) (publish.Loose, *os.File, error) {
	f, err := os.Open(o.file)
	if err != nil {
		return publish.Loose{}, nil, ota.NotFound("file_missing", "cannot open %s: %s", o.file, errors.Unwrap(err)).WithHint("name the zip with --file")
	}
	return publish.Loose{Body: f, Checksum: o.checksum, SessionKey: o.sessionKey, Key: key}, f, nil
}

func newBundleVerifyCommand(g *Globals) *cobra.Command {
	o := openOptions{pass: passphrase{g: g}}
	c := &cobra.Command{
		Use:   "verify [VERSION]",
		Short: "Check what is published the way a device would",
		Long: `Fetch a published version and check it the way a device would: session key,
signatures, decryption, compression, hashes, paths, and that the file list and
the zip are the same content. Of a sealed bundle every manifest, sealed file and
patch is checked, and with --epoch-key what they hold. With --file check a zip that any tool made, without
a server. It ends with exit code 1 if a device would refuse anything.`,
		Example: "  waxwing bundle verify 1.0.1 --app com.example.shop --public-key waxwing-key.pem.pub\n" +
			"  waxwing bundle verify --file b.zip --checksum 3f2a… --session-key Zm9v…:YmFy… --public-key key.pub",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(args); err != nil {
				return err
			}
			return runBundleVerify(cmd.Context(), g, &o, args)
		},
	}
	o.bind(c)
	c.Flags().StringVar(&o.epochKey, "epoch-key", "", "file of the content key of a sealed bundle, as push --epoch-key kept it")
	return c
}

func runBundleVerify(ctx context.Context, g *Globals, o *openOptions, args []string) error {
	key, err := o.public()
	if err != nil {
		return err
	}
	rep, err := verifyBundle(ctx, g, o, key, args)
	if err != nil {
		return err
	}
	if err := g.Print(rep, func(w io.Writer) { printReport(w, rep) }); err != nil {
		return err
	}
	if rep.OK {
		return nil
	}
	return reported{ota.Invalid("bundle_refused", "a device would refuse it: %d problems", len(rep.Problems)).
		WithHint("publish the content again under a new version, and take this one off its channels")}
}

func verifyBundle(ctx context.Context, g *Globals, o *openOptions, key *seal.PublicKey, args []string) (*publish.Report, error) {
	if o.file != "" {
		l, f, err := o.loose(key)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		return publish.VerifyLoose(ctx, l)
	}
	cl, err := g.Client()
	if err != nil {
		return nil, err
	}
	status := g.Status()
	defer status.Done()
	p := publish.Published{App: o.app, Version: args[0], Key: key, Progress: status}
	var content cobblestone.Key
	if o.epochKey != "" {
		raw, err := os.ReadFile(o.epochKey)
		if err != nil {
			return nil, ota.Invalid("epoch_key_unreadable", "cannot read %s: %s", o.epochKey, err).WithField("epoch-key").WithHint("check that it exists and that you may read it")
		}
		if p.Epoch, content, err = publish.ParseEpochKey(raw, o.app); err != nil {
			return nil, err
		}
	}
	return publish.VerifyAll(ctx, cl, p, content)
}

func printReport(w io.Writer, r *publish.Report) {
	for _, p := range r.Problems {
		fmt.Fprintln(w, clean(fmt.Sprintf("FAIL  %s: %s (%s)", p.Object, p.Message, p.Code)))
	}
	if r.Zip != nil {
		fmt.Fprintf(w, "ok    zip of %s, %d files, SHA-256 %s\n", bytesText(r.Zip.Size), r.Zip.Entries, r.Zip.SHA256)
	}
	if r.Files.Count > 0 {
		fmt.Fprintf(w, "ok    %d listed files, %s\n", r.Files.Count, bytesText(r.Files.Bytes))
	}
	if p := r.Provenance; p != nil && p.Present {
		fmt.Fprintf(w, "ok    %s\n", clean(originText(p)))
	}
	for _, s := range r.Sealed {
		printSealedReport(w, s)
	}
	for _, n := range r.Notes {
		fmt.Fprintln(w, "note  "+clean(n))
	}
	if r.OK {
		fmt.Fprintf(w, "a device %s would take it\n", keyText(r.KeyID))
	}
}

func keyText(id string) string {
	if id == "" {
		return "without a key"
	}
	return "with key " + id
}

func newBundleDecryptCommand(g *Globals) *cobra.Command {
	o := openOptions{pass: passphrase{g: g}}
	var out string
	c := &cobra.Command{
		Use:   "decrypt [VERSION]",
		Short: "Write a published bundle in plain, as a folder or a zip",
		Long: `Fetch a published version, check it, and write it in plain: as a zip if --out
ends in .zip, else as a new folder. The public key is enough, since whoever has
the app can read its bundles. Nothing is written if a device would refuse it.`,
		Example: "  waxwing bundle decrypt 1.0.1 --app com.example.shop --public-key waxwing-key.pem.pub --out opened/",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(args); err != nil {
				return err
			}
			return runBundleDecrypt(cmd.Context(), g, &o, args, out)
		},
	}
	o.bind(c)
	c.Flags().StringVar(&out, "out", "", "new folder, or a file name ending in .zip (required)")
	require(c, "out")
	return c
}

func runBundleDecrypt(ctx context.Context, g *Globals, o *openOptions, args []string, out string) error {
	key, err := o.public()
	if err != nil {
		return err
	}
	var res publish.Decrypted
	if o.file != "" {
		l, f, err := o.loose(key)
		if err != nil {
			return err
		}
		defer f.Close()
		res, err = publish.DecryptLoose(ctx, l, out)
		if err != nil {
			return err
		}
	} else {
		cl, err := g.Client()
		if err != nil {
			return err
		}
		if res, err = publish.Decrypt(ctx, cl, publish.Published{App: o.app, Version: args[0], Key: key}, out); err != nil {
			return err
		}
	}
	return g.Print(res, func(w io.Writer) {
		fmt.Fprintf(w, "wrote %d files to %s (plain zip: SHA-256 %s)\n", res.Files, res.Out, res.SHA256)
	})
}
