package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
	"github.com/waxwing-ota/waxwing/internal/core/tuf"
	"github.com/waxwing-ota/waxwing/internal/trustdir"
)

// trustInit is the flags of trust init.
type trustInit struct {
	trustFlags
	keys                    keyFlags
	app, online             string
	root, release, staging  []string
	rootNeeds, releaseNeeds int
	rootDays, targetsDays   int
	minClass, minAssurance  string
}

func newTrustInitCommand(g *Globals) *cobra.Command {
	o := &trustInit{trustFlags: trustFlags{g: g}}
	c := &cobra.Command{
		Use:   "init",
		Short: "Begin: draft the first root, targets and trust.json of an app",
		Long: `Begin sealed updates of an app: name whose keys decide, and draft the first root,
targets and trust.json in a new working folder. Root keys name all other keys;
release keys approve what runs in production; staging keys are those of CI and sign
what testers get. Each key is given as KEY or NAME=KEY, where KEY is a file with a
public key (the FILE.pub of waxwing trust key create) or a signer: ` + signerHelp + `.

The server's own public keys are fetched from it. Without a connection, take them
along in a file: waxwing trust status --app APP --json, and --online FILE here.
Without --root, it asks.`,
		Example: `  waxwing trust init --app com.example.shop \
    --root alice=alice.key.pub --root bob=bob.key.pub --root carol=carol.key.pub \
    --release dora=dora.key.pub --release emil=emil.key.pub --staging ci=ci.key.pub`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context()) },
	}
	o.bind(c)
	appFlag(c, &o.app)
	o.keys.bind(g, c)
	f := c.Flags()
	f.StringArrayVar(&o.root, "root", nil, "root key, KEY or NAME=KEY; repeat it")
	f.IntVar(&o.rootNeeds, "root-threshold", 0, "how many root keys must sign (default 2, or 1 of 1)")
	f.StringArrayVar(&o.release, "release", nil, "release key; repeat it")
	f.IntVar(&o.releaseNeeds, "release-threshold", 0, "how many release keys must sign (default 2, or 1 of 1)")
	f.StringArrayVar(&o.staging, "staging", nil, "staging key of CI; repeat it. Any one of them signs")
	f.StringVar(&o.online, "online", "", "file with the server's public keys (default: ask the server)")
	f.IntVar(&o.rootDays, "root-days", trustdir.RootDays, "days until the root expires")
	f.IntVar(&o.targetsDays, "targets-days", trustdir.TargetsDays, "days until targets expire")
	f.StringVar(&o.minClass, "min-class", sealed.ClassProduction, "production, or staging: test apps may run staged bundles")
	f.StringVar(&o.minAssurance, "min-assurance", sealed.AssuranceNone, "how devices must keep their keys to get content: none, software, tee or strongbox")
	return c
}

func (o *trustInit) run(ctx context.Context) error {
	f, err := trustdir.Create(o.dir, o.app)
	if err != nil {
		return err
	}
	if len(o.root) == 0 {
		if err := o.askAll(); err != nil {
			return err
		}
	}
	s := trustdir.Start{MinClass: o.minClass, MinAssurance: o.minAssurance}
	if s.RootExpires, err = inDays(o.rootDays); err != nil {
		return err
	}
	if s.TargetsExpires, err = inDays(o.targetsDays); err != nil {
		return err
	}
	for _, r := range []struct {
		role  string
		texts []string
		needs int
		into  *tuf.Keys
	}{{"root", o.root, o.rootNeeds, &s.Root}, {"release", o.release, o.releaseNeeds, &s.Release}, {"staging", o.staging, 1, &s.Staging}} {
		if *r.into, err = o.role(ctx, f, r.role, r.texts, r.needs); err != nil {
			return err
		}
	}
	status, err := o.status(ctx)
	if err != nil {
		return err
	}
	if s.Online, err = onlineKeys(&status.Online); err != nil {
		return err
	}
	if err := f.Begin(s); err != nil {
		return err
	}
	for _, r := range status.Roles {
		if r.Name == ota.TrustRoleRoot && r.Version > 0 {
			return ota.Conflict(trustdir.CodeExists, "app %s has root %d already", o.app, r.Version).
				WithHint("fetch it: waxwing trust pull --app %s", o.app)
		}
	}
	if len(s.Root.Keys) < 3 || s.Root.Threshold < 2 {
		o.g.Warn("root %d of %d: if a key is lost or stolen, there is none to replace it; 2 of 3 is the least that survives that", s.Root.Threshold, len(s.Root.Keys))
	}
	return o.saveDraft(f)
}

// role reads the keys of a role and their names.
func (o *trustInit) role(ctx context.Context, f *trustdir.Folder, role string, texts []string, needs int) (tuf.Keys, error) {
	k := tuf.Keys{Threshold: needs}
	if k.Threshold == 0 {
		k.Threshold = min(2, len(texts))
	}
	for _, text := range texts {
		n, err := readNamedKey(ctx, &o.keys, text)
		if err != nil {
			return k, err
		}
		before := len(k.Keys)
		if k = k.With(n.key); len(k.Keys) == before {
			return k, ota.Invalid(trustdir.CodeKey, "the key %s is named twice in the role %s", trustdir.Short(n.key.ID()), role).WithField(role).
				WithHint("each holder has a key of their own")
		}
		if n.name != "" {
			f.Names[n.key.ID()] = n.name
		}
	}
	if role != "staging" && (len(k.Keys) == 0 || k.Threshold < 1 || k.Threshold > len(k.Keys)) {
		return k, ota.Invalid(trustdir.CodeKey, "the role %s has %d keys, and %d of them cannot sign", role, len(k.Keys), k.Threshold).WithField(role).
			WithHint("give --%s for each key, and a --%s-threshold of at most as many", role, role)
	}
	return k, nil
}

// status asks the server, or the file that stands for it.
func (o *trustInit) status(ctx context.Context) (ota.TrustStatus, error) {
	var s ota.TrustStatus
	if o.online == "" {
		cl, err := o.g.Client()
		if err != nil {
			return s, err
		}
		return cl.Trust(ctx, o.app)
	}
	b, err := readBounded(o.online)
	if err != nil {
		return s, err
	}
	var file struct {
		ota.TrustStatus
		Server *ota.TrustStatus `json:"server"` // as trust status prints it
	}
	if err := json.Unmarshal(b, &file); err != nil {
		return s, ota.Invalid("file_invalid", "%s does not hold the server's keys", o.online).WithField("online").
			WithHint("write it where the server can be reached: waxwing trust status --app %s --json", o.app)
	}
	if s = file.TrustStatus; file.Server != nil {
		s = *file.Server
	}
	if s.App != o.app {
		return s, ota.Invalid("file_invalid", "%s has the keys of app %q", o.online, clean(s.App)).WithField("online").
			WithHint("write it for app %s", o.app)
	}
	return s, nil
}

// onlineKeys checks the server's public keys.
func onlineKeys(o *ota.TrustOnline) (trustdir.Online, error) {
	var out trustdir.Online
	for _, r := range []struct {
		what string
		from []ota.TrustKey
		into *[]p256.Key
	}{
		{"timestamp", o.Timestamp, &out.Timestamp},
		{"snapshot", o.Snapshot, &out.Snapshot},
		{"director", o.Director, &out.Director},
		{"authority", o.Authority, &out.Authority},
		{"log", []ota.TrustKey{o.Log.P256}, nil},
	} {
		for _, k := range r.from {
			key, err := p256.ParsePEM(k.Public)
			if err != nil || key.ID() != k.ID {
				return out, ota.Invalid("online_keys_invalid", "the server's %s key is not sound", r.what).
					WithHint("is it the right server, and of this version?")
			}
			if r.into == nil {
				out.Log.P256 = key
				continue
			}
			*r.into = append(*r.into, key)
		}
		if len(r.from) == 0 && r.what != "authority" {
			return out, ota.Invalid("online_keys_invalid", "the server has no %s key", r.what).WithHint("is it of this version?")
		}
	}
	out.Log.Name, out.Log.Ed25519 = o.Log.Name, o.Log.Ed25519
	return out, nil
}

// askAll guides a person through the roles.
func (o *trustInit) askAll() error {
	if !IsTerminal(o.g.In) {
		return ota.Invalid(trustdir.CodeKey, "whose keys decide is not said, and there is no terminal to ask").WithField("root").
			WithHint("give --root for each root key and --release for each release key: waxwing trust init --help")
	}
	in := bufio.NewReader(o.g.In)
	for _, r := range []struct {
		role, about      string
		count, threshold int
		keys             *[]string
		needs            *int
	}{
		{"root", "Root keys name all others. They stay offline, each with another person.", 3, 2, &o.root, &o.rootNeeds},
		{"release", "Release keys approve what runs in production.", 2, 2, &o.release, &o.releaseNeeds},
		{"staging", "Staging keys are those of CI, for test apps only.", 1, 1, &o.staging, new(int)},
	} {
		o.g.Note("\n%s", r.about)
		n, err := o.askNumber(in, fmt.Sprintf("how many %s keys? [%d] ", r.role, r.count), r.count)
		if err != nil {
			return err
		}
		if n > 1 && r.role != "staging" {
			if *r.needs, err = o.askNumber(in, fmt.Sprintf("how many of them must sign? [%d] ", min(r.threshold, n)), min(r.threshold, n)); err != nil {
				return err
			}
		}
		for i := range n {
			name, err := o.g.ask(in, fmt.Sprintf("  %s key %d, name of its holder: ", r.role, i+1), fmt.Sprintf("%s-%d", r.role, i+1))
			if err != nil {
				return err
			}
			key, err := o.g.ask(in, "  file with the public key, or signer: ", "")
			if err != nil {
				return err
			}
			*r.keys = append(*r.keys, name+"="+key)
		}
	}
	return nil
}

func (o *trustInit) askNumber(in *bufio.Reader, question string, standard int) (int, error) {
	text, err := o.g.ask(in, question, strconv.Itoa(standard))
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > tuf.MaxRoleKeys {
		return 0, ota.Invalid("answer_invalid", "%q is no number of keys", clean(text)).WithHint("0 to %d", tuf.MaxRoleKeys)
	}
	return n, nil
}
