package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/capconfig"
	"github.com/waxwing-ota/waxwing/internal/client"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/seal"
	"github.com/waxwing-ota/waxwing/internal/keyfile"
)

// initOptions are the flags of init.
type initOptions struct {
	dir, app, key string
	write         bool
	pass          passphrase
}

// initialised is what init prints.
type initialised struct {
	App        string            `json:"app"`
	CreatedApp bool              `json:"created_app"`
	KeyID      string            `json:"key_id"`
	KeyFile    string            `json:"key_file"` // "" = it is not on this machine
	CreatedKey bool              `json:"created_key"`
	Config     string            `json:"config"`  // path of the configuration
	Written    bool              `json:"written"` // it was edited
	Backup     string            `json:"backup"`  // what it was before
	Settings   map[string]string `json:"settings"`
	Snippet    string            `json:"snippet"` // what to put into the configuration
	Next       []string          `json:"next"`
}

func newInitCommand(g *Globals) *cobra.Command {
	o := initOptions{pass: passphrase{g: g}}
	c := &cobra.Command{
		Use:   "init",
		Short: "Set up the Capacitor app in this folder: app, key, configuration",
		Long: `Set up the Capacitor app in this folder: find its capacitor.config, create the
app and its signing key, and print what to change in the configuration. Nothing
is changed in your files, but with --write a capacitor.config.json is edited and
the old one kept beside it; .ts and .js files are never edited. Running it again
does only what is missing.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runInit(cmd.Context(), g, &o) },
	}
	f := c.Flags()
	f.StringVar(&o.dir, "dir", ".", "folder of the Capacitor app")
	f.StringVar(&o.app, "app", "", "app id (default: that of the configuration)")
	f.StringVar(&o.key, "key", defaultKeyFile, "file of the private key, made if it is missing")
	f.BoolVar(&o.write, "write", false, "edit capacitor.config.json")
	o.pass.bindNew(f)
	return c
}

// defaultKeyFile is the name of an app's key file unless told otherwise.
const defaultKeyFile = "waxwing-key.pem"

func runInit(ctx context.Context, g *Globals, o *initOptions) error {
	cl, err := g.Client()
	if err != nil {
		return err
	}
	p, err := capconfig.ReadProject(o.dir)
	if err != nil {
		return err
	}
	if p.Config == nil {
		_, err := capconfig.Find(o.dir)
		return err
	}
	if o.write && !p.Config.JSON {
		return ota.Invalid("config_not_json", "%s is a script and is not edited", p.Config.Path).
			WithHint("run it without --write, and put in what it prints")
	}
	res := initialised{Config: p.Config.Path, Settings: map[string]string{}}
	if res.App, err = o.appID(p.Config); err != nil {
		return err
	}
	if res.CreatedApp, err = ensureApp(ctx, cl, res.App); err != nil {
		return err
	}
	pub, err := o.ensureKey(ctx, cl, &res)
	if err != nil {
		return err
	}
	base, _, err := deviceBase(ctx, cl)
	if err != nil {
		return err
	}
	settings := settingsFor(base, pub)
	for _, s := range settings {
		res.Settings[s.Name] = s.Value
	}
	res.Snippet = capconfig.Snippet(settings, p.Config.JSON)
	if o.write {
		if res.Backup, err = writeConfig(p.Config.Path, settings); err != nil {
			return err
		}
		res.Written = true
	}
	o.next(&res, p)
	if why := unreachableByPhones(base); why != "" {
		g.Warn("devices would use %s: %s; set --public-url of the server", base, why)
	}
	return g.Print(res, func(w io.Writer) { printInit(w, &res) })
}

// appID is the app id to set up.
func (o *initOptions) appID(c *capconfig.Config) (string, error) {
	id := c.EffectiveAppID()
	switch {
	case o.app != "" && id.Text != "" && id.Text != o.app:
		return "", ota.Conflict("app_id_mismatch", "%s is of app %s, not %s", c.Path, id.Text, o.app).
			WithHint("leave out --app, or name the app's own folder with --dir")
	case o.app != "":
		return o.app, ota.CheckAppID(o.app)
	case id.Text == "":
		return "", ota.Invalid("app_id_unknown", "%s does not say its appId in so many words", c.Path).WithHint("name it with --app")
	}
	return id.Text, ota.CheckAppID(id.Text)
}

func ensureApp(ctx context.Context, cl *client.Client, id string) (created bool, err error) {
	if _, err = cl.App(ctx, id); ota.KindOf(err) != ota.KindNotFound {
		return false, err
	}
	_, err = cl.CreateApp(ctx, ota.NewApp{ID: id})
	return err == nil, err
}

// ensureKey finds the app's key, or makes its first one. The public half goes
// into the configuration.
func (o *initOptions) ensureKey(ctx context.Context, cl *client.Client, res *initialised) (*seal.PublicKey, error) {
	path := o.key
	if !filepath.IsAbs(path) {
		path = filepath.Join(o.dir, path)
	}
	keys, err := cl.Keys(ctx, res.App)
	if err != nil {
		return nil, err
	}
	pub, err := readPublic(path + keyfile.PublicSuffix)
	switch {
	case err == nil:
		res.KeyFile, res.KeyID = path, pub.ID()
		return pub, registerIfNew(ctx, cl, res.App, keys, pub)
	case ota.KindOf(err) != ota.KindNotFound:
		return nil, err
	}
	if k := newestActive(keys); k != nil {
		res.KeyID = k.ID
		return seal.ParsePublicKey([]byte(k.PublicPEM))
	}
	k, err := makeKey(ctx, cl, &o.pass, res.App, path)
	if err != nil {
		return nil, err
	}
	res.KeyFile, res.KeyID, res.CreatedKey = path, k.ID, true
	return readPublic(k.PublicFile)
}

// registerIfNew registers a key that lies here and is not known yet. A second
// key beside others is a rotation, which is not ours to begin.
func registerIfNew(ctx context.Context, cl *client.Client, app string, keys []ota.Key, pub *seal.PublicKey) error {
	for _, k := range keys {
		if k.ID != pub.ID() {
			continue
		}
		if k.State != ota.KeyActive {
			return ota.Conflict("key_retired", "key %s of app %s is retired", k.ID, app).WithHint("name the active key's file with --key")
		}
		return nil
	}
	if len(keys) > 0 {
		return ota.Conflict("key_mismatch", "app %s has other keys than %s", app, pub.ID()).
			WithHint("name its key file with --key, or begin a rotation: waxwing keys rotate --app %s --out FILE", app)
	}
	_, err := cl.RegisterKey(ctx, app, pub.PEM())
	return err
}

// newestActive returns the first active key of a list that has the newest first.
func newestActive(keys []ota.Key) *ota.Key {
	for i := range keys {
		if keys[i].State == ota.KeyActive {
			return &keys[i]
		}
	}
	return nil
}

// writeConfig edits a JSON configuration and keeps the old one beside it.
func writeConfig(path string, settings []capconfig.Setting) (backup string, err error) {
	old, err := os.ReadFile(path)
	if err != nil {
		return "", ota.Invalid("file_unreadable", "cannot read %s: %s", path, err).WithHint("check that you may read it")
	}
	edited, err := capconfig.EditJSON(old, settings)
	if err != nil {
		return "", err
	}
	if string(edited) == string(old) {
		return "", nil
	}
	backup = path + ".bak"
	for n := 2; ; n++ {
		err := writeNew(backup, old, 0o644)
		if err == nil {
			break
		}
		if ota.KindOf(err) != ota.KindConflict || n > 100 {
			return "", err
		}
		backup = fmt.Sprintf("%s.bak%d", path, n)
	}
	return backup, replaceFile(path, edited)
}

// next lists what to do after this.
func (o *initOptions) next(res *initialised, p *capconfig.Project) {
	if !res.Written {
		res.Next = append(res.Next, "put the settings into "+res.Config)
	}
	if p.Installed(capconfig.UpdaterPackage) == "" && p.Installed(capconfig.ElectronPackage) == "" {
		res.Next = append(res.Next, "npm install "+capconfig.UpdaterPackage)
	}
	dist := p.Config.WebDir.Text
	if dist == "" {
		dist = "dist"
	}
	key := res.KeyFile
	if key == "" {
		key = "KEYFILE"
	}
	res.Next = append(res.Next,
		"call CapacitorUpdater.notifyAppReady() when the app has started",
		"npm run build && npx cap sync, and install that native app on a device",
		fmt.Sprintf("waxwing push %s --app %s --version 1.0.1 --channel production --key %s", filepath.Join(o.dir, dist), res.App, key),
		"waxwing doctor")
}

func printInit(w io.Writer, r *initialised) {
	created := func(b bool) string {
		if b {
			return "created"
		}
		return "was there"
	}
	fmt.Fprintf(w, "app  %s (%s)\n", r.App, created(r.CreatedApp))
	file := r.KeyFile
	if file == "" {
		file = "its private file is not here"
	}
	fmt.Fprintf(w, "key  %s (%s; %s)\n\n", clean(r.KeyID), file, created(r.CreatedKey))
	switch {
	case r.Backup != "":
		fmt.Fprintf(w, "edited %s; the old one is %s\n", r.Config, r.Backup)
	case r.Written:
		fmt.Fprintf(w, "%s has the settings already\n", r.Config)
	default:
		fmt.Fprintf(w, "put this into %s:\n\n%s", r.Config, r.Snippet)
	}
	fmt.Fprintln(w, "\nnext:")
	for i, n := range r.Next {
		fmt.Fprintf(w, "  %d. %s\n", i+1, n)
	}
	if r.CreatedKey {
		fmt.Fprintf(w, "\nkeep a backup of %s, and keep it out of version control\n", r.KeyFile)
	}
}
