package trustdir

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
	"github.com/waxwing-ota/waxwing/internal/core/tuf"
)

// Need is one set of keys that must sign a draft. A root needs two: its own keys,
// and those of the root before it.
type Need struct {
	Role      string   `json:"role"` // of the draft
	Keys      string   `json:"keys"` // NeedCurrent or NeedNext
	Threshold int      `json:"threshold"`
	Signed    []string `json:"signed"` // key ids
	Open      []string `json:"open"`   // key ids that have not
}

// Whose keys a Need is about.
const (
	NeedCurrent = "current" // those in force
	NeedNext    = "next"    // those that the draft, or the draft of the root, brings
)

// Whose says whose signatures these are, for people.
func (n Need) Whose() string {
	if n.Keys == NeedCurrent {
		return "keys in force"
	}
	return "keys that the draft names"
}

// Met says whether enough have signed.
func (n Need) Met() bool { return len(n.Signed) >= n.Threshold }

// Needs says who must still sign the drafts.
func (f *Folder) Needs() ([]Need, error) {
	now, err := f.root()
	if err != nil {
		return nil, err
	}
	next, err := f.nextRoot()
	if err != nil {
		return nil, err
	}
	needs := []Need{}
	add := func(role, whose string, keys tuf.Keys, draft []byte) error {
		p, err := keys.Progress(role, draft)
		if err != nil {
			return tampered(err, "the draft of "+role)
		}
		needs = append(needs, Need{
			Role: role, Keys: whose, Threshold: p.Threshold, Signed: notNil(p.Signed), Open: notNil(p.Open),
		})
		return nil
	}
	if f.Draft.Root != nil {
		if now != nil {
			if err := add(tuf.RoleRoot, NeedCurrent, now.Plan().Root, f.Draft.Root); err != nil {
				return nil, err
			}
		}
		if err := add(tuf.RoleRoot, NeedNext, next.Plan().Root, f.Draft.Root); err != nil {
			return nil, err
		}
	}
	if f.Draft.Targets != nil && next != nil {
		whose := NeedCurrent
		if f.Draft.Root != nil {
			whose = NeedNext
		}
		if err := add(tuf.RoleTargets, whose, next.Plan().Targets, f.Draft.Targets); err != nil {
			return nil, err
		}
	}
	return needs, nil
}

func notNil(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

// Wanted lists the drafts that the key may sign and has not: the one of the root
// first. only bounds it to a role; "" is all.
func (f *Folder) Wanted(id, only string) ([]string, error) {
	needs, err := f.Needs()
	if err != nil {
		return nil, err
	}
	var roles []string
	part := false
	for _, n := range needs {
		if only != "" && n.Role != only {
			continue
		}
		part = part || slices.Contains(n.Open, id) || slices.Contains(n.Signed, id)
		if slices.Contains(n.Open, id) && !slices.Contains(roles, n.Role) {
			roles = append(roles, n.Role)
		}
	}
	switch {
	case len(needs) == 0 || (only != "" && !slices.ContainsFunc(needs, func(n Need) bool { return n.Role == only })):
		return nil, ota.NotFound(CodeDraft, "there is no draft to sign").
			WithHint("make one: waxwing trust approve, rotate, revoke, renew or set; or fetch the folder that has it")
	case !part:
		return nil, ota.Errorf(ota.KindForbidden, CodeKey, "the key %s is in no role that signs the draft", Short(id)).
			WithHint("it takes one of: %s", strings.Join(f.openNames(needs), ", "))
	}
	return roles, nil
}

func (f *Folder) openNames(needs []Need) []string {
	var names []string
	for _, n := range needs {
		for _, id := range n.Open {
			if name := f.Name(id); !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// Name is what people call a key, and the beginning of its id.
func (f *Folder) Name(id string) string {
	if n := f.Names[id]; n != "" {
		return n + " (" + Short(id) + ")"
	}
	return Short(id)
}

// Sign adds the signer's signature to the draft of a role. Nothing is signed
// that has expired.
func (f *Folder) Sign(ctx context.Context, role string, s p256.Signer, now time.Time) error {
	draft := f.draftOf(role)
	info, err := tuf.Inspect(*draft)
	if err != nil {
		return tampered(err, "the draft of "+role)
	}
	if !now.Before(info.Expires) {
		return ota.Invalid(ota.CodeTrustExpired, "the draft of %s expired at %s", role, info.Expires.UTC().Format(time.RFC3339)).
			WithHint("make it anew: waxwing trust renew --role %s", role)
	}
	signed, err := tuf.AddSignature(ctx, *draft, s)
	if err != nil {
		return err
	}
	*draft = signed
	return nil
}

func (f *Folder) draftOf(role string) *[]byte {
	if role == tuf.RoleRoot {
		return &f.Draft.Root
	}
	return &f.Draft.Targets
}

// Digest is what signers of a draft compare: the SHA-256 of what is signed.
func (f *Folder) Digest(role string) string {
	info, err := tuf.Inspect(*f.draftOf(role))
	if err != nil {
		return ""
	}
	return info.Digest
}

// Merge takes over signatures of the same drafts from another folder, and says
// how many were new.
func (f *Folder) Merge(from *Folder) (int, error) {
	if f.App != from.App {
		return 0, ota.Invalid(CodeFolder, "%s is of app %s, this one of %s", from.Path, from.App, f.App).WithHint("name the folder of the same app")
	}
	added, same := 0, 0
	for _, role := range []string{tuf.RoleRoot, tuf.RoleTargets} {
		mine, theirs := f.draftOf(role), from.draftOf(role)
		if *mine == nil || *theirs == nil {
			continue
		}
		if f.Digest(role) != from.Digest(role) {
			return 0, ota.Conflict(CodeDraft, "the two drafts of %s differ", role).
				WithHint("all must sign the same draft: hand on the folder that has it, and sign anew")
		}
		same++
		n, err := f.mergeRole(role, *theirs)
		if err != nil {
			return 0, err
		}
		added += n
	}
	if same == 0 {
		return 0, ota.NotFound(CodeDraft, "the two folders have no draft in common").WithHint("waxwing trust status says what each has")
	}
	return added, nil
}

func (f *Folder) mergeRole(role string, theirs []byte) (int, error) {
	mine := f.draftOf(role)
	other, err := tuf.Inspect(theirs)
	if err != nil {
		return 0, err
	}
	keys, err := f.allKeys(role)
	if err != nil {
		return 0, err
	}
	before, err := tuf.Inspect(*mine)
	if err != nil {
		return 0, err
	}
	for _, s := range other.Signatures {
		key, known := keys[s.KeyID]
		der, err := p256.ParseHex(s.Sig)
		have := slices.ContainsFunc(before.Signatures, func(b tuf.Signature) bool { return b.KeyID == s.KeyID })
		if !known || err != nil || have {
			continue
		}
		if *mine, err = tuf.AttachSignature(*mine, key, der); err != nil {
			return 0, err
		}
	}
	after, err := tuf.Inspect(*mine)
	return len(after.Signatures) - len(before.Signatures), err
}

// allKeys are the keys whose signatures on a draft may count.
func (f *Folder) allKeys(role string) (map[string]p256.Key, error) {
	keys := map[string]p256.Key{}
	for _, get := range []func() (*tuf.Root, error){f.root, f.nextRoot} {
		r, err := get()
		if err != nil {
			return nil, err
		}
		if r == nil {
			continue
		}
		set := r.Plan().Root
		if role == tuf.RoleTargets {
			set = r.Plan().Targets
		}
		for _, k := range set.Keys {
			keys[k.ID()] = k
		}
	}
	return keys, nil
}

// Ready refuses a draft that the server would refuse, with who is missing. It
// returns the roles to publish, in their order.
func (f *Folder) Ready(now time.Time) ([]string, error) {
	needs, err := f.Needs()
	if err != nil {
		return nil, err
	}
	var roles []string
	for _, n := range needs {
		if !slices.Contains(roles, n.Role) {
			roles = append(roles, n.Role)
		}
		info, err := tuf.Inspect(*f.draftOf(n.Role))
		if err != nil {
			return nil, err
		}
		if !now.Before(info.Expires) {
			return nil, ota.Invalid(ota.CodeTrustExpired, "the draft of %s expired at %s", n.Role, info.Expires.UTC().Format(time.RFC3339)).
				WithHint("make it anew, and have it signed anew: waxwing trust renew --role %s", n.Role)
		}
		if n.Met() {
			continue
		}
		var who []string
		for _, id := range n.Open {
			who = append(who, f.Name(id))
		}
		return nil, ota.Conflict(ota.CodeTrustThreshold, "the draft of %s has %d of %d signatures by the %s", n.Role, len(n.Signed), n.Threshold, n.Whose()).
			WithHint("have %d more of these sign it: %s", n.Threshold-len(n.Signed), strings.Join(who, ", "))
	}
	if len(roles) == 0 {
		return nil, ota.NotFound(CodeDraft, "there is no draft to publish").WithHint("waxwing trust status says what is in force")
	}
	return roles, nil
}

// Anchor is the digest of the first root, or of the draft of it: what all else
// hangs on.
func (f *Folder) Anchor() string {
	first := f.Draft.Root
	if len(f.Roots) > 0 {
		first = f.Roots[0]
	}
	info, err := tuf.Inspect(first)
	if err != nil {
		return ""
	}
	return info.Digest
}
