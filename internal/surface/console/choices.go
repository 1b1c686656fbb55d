package console

import "github.com/waxwing-ota/waxwing/internal/core/ota"

// choice is a version that a form offers, with what is known against it.
type choice struct {
	Version string
	Mark    string // few words beside the version; "" = nothing is known against it
	By      string // who took it back; "" = the guard halted it
	Why     string // the reason of that; device text may be in it
	Held    bool   // no channel can serve it, so it cannot be chosen
}

// choices are what a form offers, newest first.
type choices []choice

// Ready says whether the newest may be preselected: nothing is known against it.
// If not, somebody has to choose, since an older one is hardly what is meant.
func (c choices) Ready() bool { return len(c) > 0 && c[0].Mark == "" }

// haltsSeen is how many of the releases and rollouts that the guard watched last
// are looked at, and historySeen how many releases.
const haltsSeen, historySeen = 10, 50

// choices lists the versions that a form of the visited channel offers. That the
// bundles may not be listed gives none.
func (c *Console) choices(r *request) (choices, error) {
	bundles, _, err := r.api.Bundles(r, r.app(), ota.Page{Limit: 100})
	if err != nil {
		if ota.KindOf(err) == ota.KindForbidden {
			err = nil
		}
		return nil, err
	}
	halted, out, back := haltedVersions(r), choices{}, map[string]ota.Release{}
	if history, _, err := r.api.Releases(r, r.app(), r.channel(), ota.Page{Limit: historySeen}); err == nil {
		back = ota.TakenBack(history) // that it cannot be asked keeps nobody from anything
	}
	for i := range bundles {
		b := &bundles[i]
		if b.DeletedAt != 0 {
			continue
		}
		n := choice{Version: b.Version}
		if why, ok := halted[b.Version]; ok {
			n.Mark, n.Why = "halted by the guard", why
		}
		if by, ok := back[b.Version]; ok {
			n.Mark, n.By, n.Why = "taken back", by.CreatedBy, by.Note
		}
		if b.Held != nil {
			n.Mark, n.Held = string(b.Held.State), true
		}
		out = append(out, n)
	}
	return out, nil
}

// haltedVersions gives the versions that the guard halted on the visited channel
// lately, with why. That this cannot be asked keeps nobody from anything.
func haltedVersions(r *request) map[string]string {
	watches, _, err := r.api.GuardWatches(r, r.app(), r.channel(), ota.Page{Limit: haltsSeen})
	if err != nil {
		return nil
	}
	out := map[string]string{}
	for _, w := range watches {
		if _, ok := out[w.Version]; ok || w.Version == ota.Builtin {
			continue
		}
		v, err := r.api.Guard(r, r.app(), r.channel(), w.Rollout)
		if err != nil || v.State != ota.GuardHalted {
			continue
		}
		why := ""
		for _, d := range v.Decisions {
			if d.Kind != "gate_open" && d.Kind != "held" {
				why = d.Text
			}
		}
		out[w.Version] = why
	}
	return out
}
