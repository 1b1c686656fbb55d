package publish

import (
	"context"
	"slices"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/seal"
	"github.com/waxwing-ota/waxwing/internal/core/semver"
)

// target is where a push goes: what the server says about it before anything
// is read or sent.
type target struct {
	app     ota.App
	channel *ota.Channel       // nil = the push names none
	keys    []*seal.PrivateKey // one per active key of the app, in the server's order
	plain   bool
}

// checkOptions refuses what cannot be right whatever the server says.
func checkOptions(o Options) error {
	if err := ota.CheckAppID(o.App); err != nil {
		return err
	}
	if err := ota.CheckVersionName(o.Version); err != nil {
		return err
	}
	if _, ok := semver.Parse(o.Version); !ok {
		return ota.Invalid("version_invalid", "%q is not a semantic version", o.Version).
			WithField("version").WithHint("write three numbers, such as 1.4.2 or 1.5.0-beta.1")
	}
	if _, ok := semver.Native(o.MinNative); o.MinNative != "" && !ok {
		return ota.Invalid("version_invalid", "%q is not a native version", o.MinNative).
			WithField("min_native").WithHint("write it like 1.4.0")
	}
	if o.Channel == "" {
		if !o.NoRelease {
			return ota.Invalid("channel_missing", "no channel was named").WithField("channel").
				WithHint("name one with --channel, or publish without releasing with --no-release")
		}
		return nil
	}
	if o.RolloutBPS != nil && (*o.RolloutBPS < 0 || *o.RolloutBPS > 10_000) {
		return ota.Invalid("rollout_percentage_invalid", "a rollout goes from 0 to 100 percent").WithField("percentage_bps")
	}
	return ota.CheckChannelName(o.Channel)
}

// findTarget asks the server for the app, its keys and the channel.
func findTarget(ctx context.Context, c Server, o Options) (*target, error) {
	app, err := c.App(ctx, o.App)
	if err != nil {
		return nil, err
	}
	registered, err := c.Keys(ctx, o.App)
	if err != nil {
		return nil, err
	}
	t := &target{app: app}
	// A sealed bundle needs none of the plugins' variants.
	if o.Sealed == nil || len(o.Keys) > 0 {
		if t.keys, err = matchKeys(o.App, registered, o.Keys); err != nil {
			return nil, err
		}
	}
	t.plain = o.Plain || len(registered) == 0 && o.Sealed == nil
	switch {
	case t.plain && len(registered) > 0 && !app.AllowPlain:
		return nil, ota.Conflict("plain_not_allowed", "app %s has signing keys and allows no plain bundles beside them", o.App).
			WithHint("leave out --plain, or allow it: waxwing apps set %s --allow-plain", o.App)
	case len(t.keys) == 0 && !t.plain && o.Sealed == nil:
		return nil, ota.Conflict("no_active_key", "all signing keys of app %s are retired", o.App).
			WithHint("create one: waxwing keys create --app %s --out FILE", o.App)
	}
	if o.Channel != "" {
		ch, err := c.Channel(ctx, o.App, o.Channel)
		if err != nil {
			return nil, err
		}
		t.channel = &ch
	}
	return t, nil
}

// matchKeys returns the given key of every active registered key. A bundle that
// lacks one would be dead on the devices that embed it, one that is signed by a
// stranger would be dead on all.
func matchKeys(app string, registered []ota.Key, given []*seal.PrivateKey) ([]*seal.PrivateKey, error) {
	for _, k := range given {
		i := slices.IndexFunc(registered, func(r ota.Key) bool { return sameKey(r, k) })
		switch {
		case i < 0 && len(registered) == 0:
			return nil, ota.Conflict("key_mismatch", "app %s has no registered key, so its devices cannot open what %s signs", app, k.Public().ID()).
				WithField("key").WithHint("register it: waxwing keys register FILE.pub --app %s", app)
		case i < 0:
			return nil, ota.Conflict("key_mismatch", "key %s is not a key of app %s, which has %s", k.Public().ID(), app, keyIDs(registered)).
				WithField("key").WithHint("use the app's key file, or register this one: waxwing keys register FILE.pub --app %s", app)
		case registered[i].State != ota.KeyActive:
			return nil, ota.Conflict("key_retired", "key %s of app %s is retired", registered[i].ID, app).
				WithField("key").WithHint("push with the active key, without this one")
		}
	}
	var keys []*seal.PrivateKey
	var missing []ota.Key
	for _, r := range registered {
		if r.State != ota.KeyActive {
			continue
		}
		if i := slices.IndexFunc(given, func(k *seal.PrivateKey) bool { return sameKey(r, k) }); i >= 0 {
			keys = append(keys, given[i])
		} else {
			missing = append(missing, r)
		}
	}
	if len(missing) > 0 {
		return nil, ota.Conflict("key_missing", "app %s has the active key %s and its private file was not given", app, keyIDs(missing)).
			WithField("key").WithHint("give --key FILE once for every active key, or retire a key that no device in use embeds: waxwing keys retire KEYID --app %s", app)
	}
	return keys, nil
}

// sameKey compares whole keys: the id is only a prefix.
func sameKey(r ota.Key, k *seal.PrivateKey) bool {
	if r.ID != k.Public().ID() {
		return false
	}
	pub, err := seal.ParsePublicKey([]byte(r.PublicPEM))
	return err == nil && pub.PEM() == k.Public().PEM()
}

func keyIDs(keys []ota.Key) string {
	ids := make([]string, len(keys))
	for i, k := range keys {
		ids[i] = k.ID
	}
	return strings.Join(ids, ", ")
}
