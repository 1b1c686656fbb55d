package cli

import (
	"context"
	"errors"
	"slices"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/keyfile"
)

// asOTA finds the domain error in err's chain.
func asOTA(err error) (*ota.Error, bool) { return errors.AsType[*ota.Error](err) }

// checkServer asks who we are. Afterwards client is nil if nothing more can be
// asked.
func (d *doctor) checkServer(ctx context.Context) {
	cl, err := d.g.Client()
	if err != nil {
		d.failWith("token", err)
		return
	}
	me, err := cl.Me(ctx)
	switch ota.KindOf(err) {
	case ota.KindUnauthorized, ota.KindForbidden:
		d.ok("server", "%s answers", cl.URL())
		d.fail("token", "set WAXWING_TOKEN to a token of this server", "the server does not take it: %s", err)
		return
	}
	if err != nil {
		d.failWith("server", err)
		return
	}
	status, err := cl.Status(ctx)
	if err != nil {
		d.failWith("server", err)
		return
	}
	d.client = cl
	ours := readBuild().Version
	switch {
	case status.ReadOnlyDB:
		d.fail("server", "free disk space on the server", "%s answers, but its database takes no writes", cl.URL())
	case status.Version != ours:
		d.warn("server", "use the same version on both sides", "%s is version %s, this program is %s", cl.URL(), status.Version, ours)
	default:
		d.ok("server", "%s is version %s", cl.URL(), status.Version)
	}
	d.ok("token", "you are %s", me.Actor)
	if d.base, d.public, err = deviceBase(ctx, cl); err != nil {
		d.failWith("server", err)
	}
}

// checkApp looks at what the server has for the app.
func (d *doctor) checkApp(ctx context.Context) {
	if _, err := d.client.App(ctx, d.app); err != nil {
		if ota.KindOf(err) == ota.KindNotFound {
			d.fail("app", "waxwing init, or: waxwing apps create "+d.app, "the server has no app %s", d.app)
		} else {
			d.failWith("app", err)
		}
		d.app = ""
		return
	}
	d.ok("app", "%s is on the server", d.app)
	keys, err := d.client.Keys(ctx, d.app)
	if err != nil {
		d.failWith("keys", err)
		return
	}
	d.keys = keys
	d.checkKeyFile()
	d.checkChannel(ctx)
}

// checkKeyFile compares the key file here with the registered keys, by its
// public half: no passphrase is needed.
func (d *doctor) checkKeyFile() {
	active := newestActive(d.keys) != nil
	pub, err := readPublic(d.key + keyfile.PublicSuffix)
	switch {
	case ota.KindOf(err) == ota.KindNotFound && !active:
		d.warn("key file", "waxwing keys create --app "+d.app+" --out "+d.key,
			"the app has no signing key: devices take bundles on the server's word alone")
	case ota.KindOf(err) == ota.KindNotFound:
		d.warn("key file", "name it with --key FILE", "there is no %s, so it cannot be compared", d.key+keyfile.PublicSuffix)
	case err != nil:
		d.failWith("key file", err)
	default:
		d.compareKey("key file", d.key, pub.ID())
	}
}

// compareKey says whether a key is one that bundles are published for.
func (d *doctor) compareKey(name, where, id string) {
	i := slices.IndexFunc(d.keys, func(k ota.Key) bool { return k.ID == id })
	switch {
	case i < 0:
		d.fail(name, "use the key that is registered, or register this one: waxwing keys register FILE.pub --app "+d.app,
			"%s has key %s, which is not registered with the app", where, id)
	case d.keys[i].State != ota.KeyActive:
		d.warn(name, "move to the active key: new bundles are not published for this one", "%s has key %s, which is retired", where, id)
	default:
		d.ok(name, "%s has key %s, which is registered and active", where, id)
	}
}

// checkChannel looks at the channel that devices follow, and compares the
// native plug-ins here with those its bundle was made with.
func (d *doctor) checkChannel(ctx context.Context) {
	channels, err := d.client.Channels(ctx, d.app)
	if err != nil {
		d.failWith("channel", err)
		return
	}
	i := slices.IndexFunc(channels, func(ch ota.Channel) bool {
		return d.channel == "" && ch.Policy.Public || ch.Name == d.channel
	})
	switch {
	case i < 0 && d.channel != "":
		d.fail("channel", "waxwing channels list --app "+d.app, "there is no channel %s", d.channel)
		return
	case i < 0:
		d.warn("channel", "waxwing channels set NAME --app "+d.app+" --public", "no channel is public: devices that name none get nothing")
		return
	}
	ch := channels[i]
	if ch.Release == nil {
		d.warn("channel", "waxwing push DIR --app "+d.app+" --version V --channel "+ch.Name, "nothing is released on %s yet", ch.Name)
		return
	}
	d.ok("channel", "%s serves %s", ch.Name, ch.Release.Version)
	if ch.Release.BundleID == 0 || d.project == nil || d.project.Config == nil {
		return
	}
	b, err := d.client.Bundle(ctx, d.app, ch.Release.Version)
	if err != nil {
		d.failWith("native plug-ins", err)
		return
	}
	d.compareNative(b)
}

// compareNative compares what is installed with what the bundle was made with.
func (d *doctor) compareNative(b ota.Bundle) {
	if len(b.NativePackages) == 0 {
		d.warn("native plug-ins", "push from the app's folder, so that they are recorded", "version %s does not say which it was made with", b.Version)
		return
	}
	var diff []string
	recorded := map[string]string{}
	for _, p := range b.NativePackages {
		recorded[p.Name] = p.Version
		switch here := d.project.Installed(p.Name); here {
		case p.Version:
		case "":
			diff = append(diff, p.Name+" "+p.Version+" is not installed here")
		default:
			diff = append(diff, p.Name+" is "+here+" here, "+p.Version+" there")
		}
	}
	for _, p := range d.project.Native {
		if _, ok := recorded[p.Name]; !ok {
			diff = append(diff, p.Name+" "+p.Version+" is new here")
		}
	}
	if len(diff) == 0 {
		d.ok("native plug-ins", "the %d installed are those version %s was made with", len(b.NativePackages), b.Version)
		return
	}
	d.warn("native plug-ins", "ship a native release first, and push what needs it with --min-native", "they differ from version %s: %s", b.Version, join("; ", diff...))
}
