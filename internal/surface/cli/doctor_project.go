package cli

import (
	"github.com/waxwing-ota/waxwing/internal/capconfig"
	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/seal"
	"github.com/waxwing-ota/waxwing/internal/core/semver"
)

// checkProject reads the app's folder.
func (d *doctor) checkProject() {
	p, err := capconfig.ReadProject(d.dir)
	if err != nil {
		d.failWith("configuration", err)
		return
	}
	d.project = p
	if p.Config == nil {
		if d.app == "" {
			_, err := capconfig.Find(d.dir)
			d.failWith("configuration", err)
		}
		return
	}
	id := p.Config.EffectiveAppID()
	switch {
	case id.Text == "" && d.app == "":
		d.fail("configuration", "name the app with --app", "%s does not say its appId in so many words", p.Config.Path)
	case id.Text != "" && d.app != "" && id.Text != d.app:
		d.fail("configuration", "name the app's own folder with --dir", "%s is of app %s, not %s", p.Config.Path, id.Text, d.app)
		p.Config = nil
	default:
		if d.app == "" {
			d.app = id.Text
		}
		d.ok("configuration", "%s is of app %s", p.Config.Path, d.app)
		for _, n := range p.Config.Notes {
			d.warn("configuration", "", "%s", n)
		}
	}
}

// checkConfig looks at the options of the update plug-in.
func (d *doctor) checkConfig() {
	u := d.project.Config.Updater
	if d.base != "" {
		for _, s := range settingsFor(d.base, nil) {
			have := map[string]capconfig.Value{"updateUrl": u.UpdateURL, "statsUrl": u.StatsURL, "channelUrl": u.ChannelURL}[s.Name]
			d.checkURL(s, have)
		}
		if why := unreachableByPhones(d.base); why != "" {
			d.warn("address", "start the server with --public-url and an https address", "devices would use %s: %s", d.base, why)
		}
	}
	d.checkPublicKey(u.PublicKey)
	switch u.AutoUpdate.Text {
	case "false", "off":
		d.warn("autoUpdate", "set it to true, unless your code checks for updates itself", "it is %s: the app does not check by itself", u.AutoUpdate.Text)
	case "onlyDownload":
		d.warn("autoUpdate", "set it to true, unless your code installs updates itself", "it is onlyDownload: the app installs nothing by itself")
	default:
		d.ok("autoUpdate", "the app checks by itself")
	}
	if d.project.Config.ServerURL.IsSet() {
		d.warn("server.url", "remove it from builds for people", "it is set: while it is, the app takes no live updates")
	}
}

func (d *doctor) checkURL(want capconfig.Setting, have capconfig.Value) {
	fix := "set it to " + want.Value
	switch {
	case have.Computed:
		d.warn(want.Name, "see that it becomes "+want.Value, "it is computed, so it was not compared")
	case have.Text == want.Value:
		d.ok(want.Name, "it is %s", have.Text)
	case have.Text == "":
		d.fail(want.Name, fix, "it is not set, so devices ask the plug-in vendor's server")
	case d.public:
		d.fail(want.Name, fix, "it is %s", have.Text)
	default:
		d.warn(want.Name, fix+", or start the server with --public-url", "it is %s, which may be another name of this server", have.Text)
	}
}

// checkPublicKey compares the embedded key with the registered ones.
func (d *doctor) checkPublicKey(v capconfig.Value) {
	active := newestActive(d.keys)
	switch {
	case v.Computed:
		d.warn("publicKey", "see that it becomes the app's public key", "it is computed, so it was not compared")
	case v.Text == "" && active == nil:
		return // the key file's check says it
	case v.Text == "":
		d.fail("publicKey", "put in the public key: waxwing keys show "+d.key, "it is not set, but bundles are encrypted for key %s", active.ID)
	default:
		k, err := seal.ParsePublicKey([]byte(v.Text))
		if err != nil {
			d.fail("publicKey", "put in the public key as it is printed by: waxwing keys show "+d.key, "the plug-in cannot read it: %s", err)
			return
		}
		if d.app != "" && d.client != nil {
			d.compareKey("publicKey", "the configuration", k.ID())
		}
	}
}

// checkPlugin looks at the installed version of the update plug-in.
// Source: shared protocol notes, client sections 7.2, 8.7 and 15.
func (d *doctor) checkPlugin() {
	const name = "plug-in"
	text := d.project.Installed(capconfig.UpdaterPackage)
	if text == "" {
		if e := d.project.Installed(capconfig.ElectronPackage); e != "" {
			d.ok(name, "%s %s is installed; it loads whole zips", capconfig.ElectronPackage, e)
			return
		}
		d.fail(name, "npm install "+capconfig.UpdaterPackage, "no update plug-in is installed")
		return
	}
	v, ok := semver.Parse(text)
	keyed := newestActive(d.keys) != nil
	update := "npm install " + capconfig.UpdaterPackage + "@latest"
	switch {
	case !ok:
		d.warn(name, "", "version %q of %s is no version number", text, capconfig.UpdaterPackage)
	case text == "9.0.0", text == "10.0.0", v.Major < 5:
		d.fail(name, update, "%s %s is old code that does not speak this protocol", capconfig.UpdaterPackage, text)
	case keyed && opensNoKey(v):
		d.fail(name, update, "%s %s cannot open bundles of a public key", capconfig.UpdaterPackage, text)
	case !decide.TakesManifest(v):
		d.warn(name, update, "%s %s takes no file lists: each update loads the whole zip", capconfig.UpdaterPackage, text)
	case v.Major >= 8 && v.Less(8, 51, 23):
		d.warn(name, update, "%s %s also takes bundles without checksum or session key; 8.51.23 and later refuse them", capconfig.UpdaterPackage, text)
	case v.Major < 8:
		d.warn(name, update, "%s %s is of an old line that lacks later repairs, such as resumed downloads", capconfig.UpdaterPackage, text)
	default:
		d.ok(name, "%s %s", capconfig.UpdaterPackage, text)
	}
}

// opensNoKey reports whether a plug-in is too old for encryption with a public key.
func opensNoKey(v semver.Version) bool {
	return v.Major == 5 && v.Less(5, 43, 3) || v.Major == 6 && v.Less(6, 2, 0) || v.Major == 7 && v.Less(7, 0, 2)
}
