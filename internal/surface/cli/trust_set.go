package cli

import (
	"context"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
	"github.com/waxwing-ota/waxwing/internal/core/tuf"
	"github.com/waxwing-ota/waxwing/internal/trustdir"
)

// trustSet is the flags of trust set. What is not given stays.
type trustSet struct {
	trustFlags
	keys               keyFlags
	minAssurance       string
	minClass           string
	floor, epoch       int64
	witnessNeeds       int
	brokers, witnesses []string
	noBrokers          []string
	noWitnesses        []string
	staging            []string
	days               int
}

func newTrustSetCommand(g *Globals) *cobra.Command {
	o := &trustSet{trustFlags: trustFlags{g: g}}
	c := &cobra.Command{
		Use:   "set",
		Short: "Draft: change what trust.json demands of devices, brokers and witnesses",
		Long: `Draft a change of trust.json, which tells devices whom to believe besides the keys
of the roles, and what is demanded. Release keys sign it with targets. What is not
named stays as it is. The floor and the lowest key epoch only rise.`,
		Example: "  waxwing trust set --floor 120\n  waxwing trust set --min-assurance tee --broker acme=04ab…\n  waxwing trust set --witness example.com/w1=5f0c… --witness-threshold 1",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f, err := o.load()
			if err != nil {
				return err
			}
			if err := o.draft(cmd.Context(), f, cmd.Flags().Changed); err != nil {
				return err
			}
			return o.saveDraft(f)
		},
	}
	o.bind(c)
	o.keys.bind(g, c)
	f := c.Flags()
	f.StringVar(&o.minAssurance, "min-assurance", "", "how devices must keep their keys to get content: none, software, tee or strongbox")
	f.StringVar(&o.minClass, "min-class", "", "production, or staging: test apps may run staged bundles")
	f.Int64Var(&o.floor, "floor", 0, "no bundle with a lower number is activated from now on")
	f.Int64Var(&o.epoch, "min-epoch", 0, "bundles encrypted under an earlier key epoch are refused")
	f.StringArrayVar(&o.brokers, "broker", nil, "key broker, NAME=PUBLIC (65 bytes in hex, as waxwing broker shows it); repeat it")
	f.StringArrayVar(&o.noBrokers, "no-broker", nil, "name of a broker that goes")
	f.StringArrayVar(&o.witnesses, "witness", nil, "witness of the log, NAME=ED25519 (32 bytes in hex); repeat it")
	f.StringArrayVar(&o.noWitnesses, "no-witness", nil, "name of a witness that goes")
	f.IntVar(&o.witnessNeeds, "witness-threshold", 0, "how many witnesses must have signed a checkpoint")
	f.StringArrayVar(&o.staging, "staging", nil, "add a staging key of CI, KEY or NAME=KEY; repeat it")
	daysFlag(c, &o.days, "the new version of targets", trustdir.TargetsDays)
	return c
}

func (o *trustSet) draft(ctx context.Context, f *trustdir.Folder, given func(string) bool) error {
	if !slices.ContainsFunc([]string{
		"min-assurance", "min-class", "floor", "min-epoch", "broker", "no-broker", "witness", "no-witness", "witness-threshold", "staging",
	}, given) {
		return usagef("nothing is to be set").WithHint("see: waxwing trust set --help")
	}
	var add tuf.Keys
	for _, text := range o.staging {
		n, err := readNamedKey(ctx, &o.keys, text)
		if err != nil {
			return err
		}
		if n.name != "" {
			f.Names[n.key.ID()] = n.name
		}
		add = add.With(n.key)
	}
	return draftTargets(f, o.days, func(p *tuf.TargetsPlan) error {
		if len(add.Keys) == 0 {
			return nil
		}
		d := stagingOf(p)
		if d == nil {
			p.Delegations = append(p.Delegations, tuf.Delegation{Name: tuf.RoleStaging, Keys: tuf.Keys{Threshold: 1}, Paths: []string{tuf.StagingPaths}})
			d = stagingOf(p)
		}
		for _, k := range add.Keys {
			d.Keys = d.Keys.With(k)
		}
		return nil
	}, o.change(given))
}

// change is nil if nothing of trust.json is named.
func (o *trustSet) change(given func(string) bool) func(*sealed.Trust) error {
	if !slices.ContainsFunc([]string{
		"min-assurance", "min-class", "floor", "min-epoch", "broker", "no-broker", "witness", "no-witness", "witness-threshold",
	}, given) {
		return nil
	}
	return func(t *sealed.Trust) error {
		if given("min-assurance") {
			t.MinAssurance = o.minAssurance
		}
		if given("min-class") {
			t.MinClass = o.minClass
		}
		for _, r := range []struct {
			flag string
			to   int64
			now  *int64
		}{{"floor", o.floor, &t.Floor}, {"min-epoch", o.epoch, &t.Epochs.Min}} {
			if !given(r.flag) {
				continue
			}
			if r.to < *r.now {
				return ota.Conflict(trustdir.CodeDraft, "the %s is %d and never falls", r.flag, *r.now).WithField(r.flag).
					WithHint("devices remember it; publish what is to run again under a new number")
			}
			*r.now = r.to
		}
		if err := o.brokersInto(t); err != nil {
			return err
		}
		return o.witnessesInto(t, given("witness-threshold"))
	}
}

func (o *trustSet) brokersInto(t *sealed.Trust) error {
	for _, name := range o.noBrokers {
		n := len(t.Broker)
		if t.Broker = slices.DeleteFunc(t.Broker, func(b sealed.Broker) bool { return b.Name == name }); len(t.Broker) == n {
			return ota.NotFound(trustdir.CodeKey, "there is no broker %q", clean(name)).WithField("no-broker").WithHint("waxwing trust status shows them")
		}
	}
	for _, text := range o.brokers {
		name, key, err := namedHex("broker", text, 65)
		if err != nil {
			return err
		}
		t.Broker = slices.DeleteFunc(t.Broker, func(b sealed.Broker) bool { return b.Name == name })
		t.Broker = append(t.Broker, sealed.Broker{Name: name, HPKE: key})
	}
	return nil
}

func (o *trustSet) witnessesInto(t *sealed.Trust, threshold bool) error {
	w := &t.Witnesses
	for _, name := range o.noWitnesses {
		n := len(w.Keys)
		if w.Keys = slices.DeleteFunc(w.Keys, func(k sealed.Witness) bool { return k.Name == name }); len(w.Keys) == n {
			return ota.NotFound(trustdir.CodeKey, "there is no witness %q", clean(name)).WithField("no-witness").WithHint("waxwing trust status shows them")
		}
	}
	for _, text := range o.witnesses {
		name, key, err := namedHex("witness", text, 32)
		if err != nil {
			return err
		}
		w.Keys = slices.DeleteFunc(w.Keys, func(k sealed.Witness) bool { return k.Name == name })
		w.Keys = append(w.Keys, sealed.Witness{Name: name, Ed25519: hex.EncodeToString(key)})
	}
	if threshold {
		w.Threshold = o.witnessNeeds
	}
	return nil
}

// namedHex reads NAME=HEX.
func namedHex(flag, text string, size int) (string, []byte, error) {
	at := strings.LastIndexByte(text, '=')
	if at < 1 {
		at = len(text)
	}
	key, err := hex.DecodeString(strings.ToLower(text[min(at+1, len(text)):]))
	if err != nil || len(key) != size {
		return "", nil, ota.Invalid(trustdir.CodeKey, "%q is not NAME=KEY with %d bytes in hex", clean(text), size).WithField(flag).
			WithHint("copy it from whoever runs the %s, and compare it by voice", flag)
	}
	return text[:at], key, nil
}
