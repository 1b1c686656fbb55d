package cli

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/client"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/seal"
	"github.com/waxwing-ota/waxwing/internal/publish"
)

// importOptions are the flags of bundle import that are not of package publish.
type importOptions struct {
	publish.Foreign
	publicKey string
	manifest  string
}

func newBundleImportCommand(g *Globals) *cobra.Command {
	var o importOptions
	c := &cobra.Command{
		Use:   "import VERSION",
		Short: "Publish a bundle that another tool zipped, and maybe encrypted",
		Long: `Publish a bundle that another tool made, byte for byte. It is opened and checked
first, with --public-key or the registered key of --key-id if it is encrypted;
--unchecked takes it as it is, even if no device would take it.

A file list is a JSON array of {"file_name", "file_hash", "file"}: the name and
hash as devices are told them, and the stored bytes, relative to the list.`,
		Example: "  waxwing bundle import 3.1.4 --app com.example.shop --zip b.zip --checksum 9f2c… --session-key Zm9v…:YmFy… --public-key key.pub",
		Args:    cobra.ExactArgs(1),
	}
	appFlag(c, &o.App)
	f := c.Flags()
	f.StringVar(&o.Zip, "zip", "", "file with the stored zip")
	f.StringVar(&o.ExternalURL, "external-url", "", "where devices find the zip, instead of --zip")
	f.StringVar(&o.Checksum, "checksum", "", "checksum as devices are told it (default for a plain zip: its SHA-256)")
	f.StringVar(&o.ChecksumV2, "checksum-v2", "", "checksum for plug-ins before x.30.0")
	f.StringVar(&o.SessionKey, "session-key", "", "session key of an encrypted bundle")
	f.StringVar(&o.publicKey, "public-key", "", "public key file of the key that signed it")
	f.StringVar(&o.KeyID, "key-id", "", "id of the registered key that signed it (default: the app's only active one)")
	f.StringVar(&o.manifest, "manifest", "", "JSON file with the file list")
	f.StringVar(&o.MinNative, "min-native", "", "lowest native version that can run it")
	f.StringVar(&o.Link, "link", "", "link to where it came from")
	f.StringVar(&o.Comment, "comment", "", "what is in it")
	f.BoolVar(&o.Unchecked, "unchecked", false, "take it as it is")
	c.MarkFlagsMutuallyExclusive("zip", "external-url")
	c.MarkFlagsMutuallyExclusive("public-key", "key-id")
	c.RunE = func(cmd *cobra.Command, args []string) error {
		o.Version = args[0]
		return runBundleImport(cmd.Context(), g, o)
	}
	return c
}

func runBundleImport(ctx context.Context, g *Globals, o importOptions) error {
	if o.Zip == "" && o.ExternalURL == "" && o.manifest == "" && !o.Unchecked {
		return usagef("there is nothing to import").WithHint("name a zip with --zip or --external-url, or a file list with --manifest")
	}
	cl, err := g.Client()
	if err != nil {
		return err
	}
	if o.manifest != "" {
		if o.Files, err = readManifest(o.manifest); err != nil {
			return err
		}
	}
	if err := o.findKey(ctx, cl); err != nil {
		return err
	}
	status := g.Status()
	o.Progress = status
	b, created, err := publish.Import(ctx, cl, o.Foreign)
	status.Done()
	if err != nil {
		return err
	}
	if !created {
		g.Note("version %s was there already, with the same content", b.Version)
	}
	err = printBundle(g, b)
	g.Note("next: waxwing release %s --app %s --channel production", b.Version, b.App)
	return err
}

// findKey finds the public key that an encrypted bundle is checked with.
func (o *importOptions) findKey(ctx context.Context, cl *client.Client) error {
	if o.publicKey != "" {
		k, err := readPublic(o.publicKey)
		if err != nil {
			return err
		}
		o.Key, o.KeyID = k, k.ID()
		return nil
	}
	if o.SessionKey == "" && o.KeyID == "" || o.Unchecked && o.KeyID != "" {
		return nil
	}
	keys, err := cl.Keys(ctx, o.App)
	if err != nil {
		return err
	}
	keys = slices.DeleteFunc(keys, func(k ota.Key) bool {
		return o.KeyID != "" && k.ID != o.KeyID || o.KeyID == "" && k.State != ota.KeyActive
	})
	if len(keys) != 1 {
		return usagef("an encrypted bundle needs the key that signed it").
			WithHint("name it with --public-key FILE, or with --key-id one of: waxwing keys list --app %s", o.App)
	}
	o.KeyID = keys[0].ID
	o.Key, err = seal.ParsePublicKey([]byte(keys[0].PublicPEM))
	return err
}

// maxManifest bounds a file list.
const maxManifest = 64 << 20

// readManifest reads a file list and resolves its paths.
func readManifest(path string) ([]publish.ForeignFile, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, ota.NotFound("file_missing", "cannot open the file list %s", path).WithHint("name the JSON file with --manifest")
	}
	defer f.Close()
	var list []struct {
		Name string `json:"file_name"`
		Hash string `json:"file_hash"`
		File string `json:"file"`
	}
	d := json.NewDecoder(io.LimitReader(f, maxManifest))
	d.DisallowUnknownFields()
	if err := d.Decode(&list); err != nil {
		return nil, ota.Invalid("manifest_invalid", "%s is not a file list: %s", path, err).
			WithHint(`write [{"file_name": "index.html", "file_hash": "…", "file": "path/of/bytes"}]`)
	}
	var files []publish.ForeignFile
	for i, e := range list {
		if e.Name == "" || e.Hash == "" || e.File == "" {
			return nil, ota.Invalid("manifest_invalid", "entry %d of %s lacks file_name, file_hash or file", i+1, path).
				WithHint("each entry needs all three")
		}
		if !filepath.IsAbs(e.File) {
			e.File = filepath.Join(filepath.Dir(path), filepath.FromSlash(e.File))
		}
		files = append(files, publish.ForeignFile{Name: e.Name, WireHash: e.Hash, Path: e.File})
	}
	if len(files) == 0 {
		return nil, ota.Invalid("manifest_invalid", "the file list %s is empty", path).WithHint("leave out --manifest for a bundle without a file list")
	}
	return files, nil
}
