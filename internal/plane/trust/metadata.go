package trust

import (
	"context"
	"encoding/hex"
	"slices"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/canon"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
	"github.com/waxwing-ota/waxwing/internal/core/tuf"
)

// envelope is a TUF document as it travels, its signed part unread.
type envelope struct {
	Signatures []tuf.Signature `json:"signatures"`
	Signed     canon.Raw       `json:"signed"`
}

// parse reads a TUF document without asking who signed it.
func parse[T any](role string, b []byte, most int, into *T) (envelope, error) {
	var e envelope
	if err := canon.Decode(b, most, &e); err != nil {
		return e, badMetadata(role, err)
	}
	if err := canon.Decode(e.Signed, most, into); err != nil {
		return e, badMetadata(role, err)
	}
	return e, nil
}

func badMetadata(role string, err error) error {
	return ota.Invalid(ota.CodeTrustMetadata, "this is no %s document", role).WithField("document").WithCause(err).
		WithHint("it must be a TUF %s document in canonical JSON, see docs/sealed", tuf.SpecVersion)
}

// valid returns the ids of the keys of a role whose signatures are right.
func (e *envelope) valid(keys map[string]p256.Key, ids []string) []tuf.Signature {
	var out []tuf.Signature
	message := canon.Signing(e.Signed)
	for _, s := range e.Signatures {
		k, ok := keys[s.KeyID]
		if ok && slices.Contains(ids, s.KeyID) && p256.VerifyHex(k, message, s.Sig) &&
			!slices.ContainsFunc(out, func(o tuf.Signature) bool { return o.KeyID == s.KeyID }) {
			out = append(out, s)
		}
	}
	return out
}

// sign writes a document that one key signs.
func sign(ctx context.Context, signed any, signer p256.Signer) ([]byte, error) {
	b, err := canon.Encode(signed)
	if err != nil {
		return nil, err
	}
	der, err := p256.Sign(ctx, signer, canon.Signing(b))
	if err != nil {
		return nil, err
	}
	return canon.Encode(envelope{
		Signatures: []tuf.Signature{{KeyID: signer.Public().ID(), Sig: hex.EncodeToString(der)}}, Signed: b,
	})
}

// papers are the documents in force of an app, read.
type papers struct {
	all  map[string]map[uint32]*Document
	now  map[string]*Document
	keys keyring

	root     tuf.Root
	targets  *tuf.Targets // nil = none yet
	staging  *tuf.Targets // nil = none yet
	snapshot *tuf.Snapshot
}

// readPapers reads what is in force, nil if the app has no root.
func readPapers(ctx context.Context, r Reader, app string) (*papers, error) {
	list, err := r.TrustDocuments(ctx, app)
	if err != nil {
		return nil, err
	}
	p := &papers{all: map[string]map[uint32]*Document{}, now: map[string]*Document{}}
	for i := range list {
		p.put(&list[i])
	}
	return p, p.read()
}

// put adds a document, which is in force if it is the newest of its role.
func (p *papers) put(d *Document) {
	if p.all[d.Role] == nil {
		p.all[d.Role] = map[uint32]*Document{}
	}
	p.all[d.Role][d.Version] = d
	if have := p.now[d.Role]; have == nil || have.Version < d.Version {
		p.now[d.Role] = d
	}
}

// read parses what is in force.
func (p *papers) read() error {
	p.targets, p.staging, p.snapshot = nil, nil, nil
	if d := p.now[ota.TrustRoleRoot]; d != nil {
		p.root = tuf.Root{}
		if _, err := parse(d.Role, d.Body, tuf.MaxRoot, &p.root); err != nil {
			return err
		}
	}
	for role, into := range map[string]**tuf.Targets{ota.TrustRoleTargets: &p.targets, ota.TrustRoleStaging: &p.staging} {
		if d := p.now[role]; d != nil {
			*into = &tuf.Targets{}
			if _, err := parse(d.Role, d.Body, tuf.MaxDocument, *into); err != nil {
				return err
			}
		}
	}
	if d := p.now[ota.TrustRoleSnapshot]; d != nil {
		p.snapshot = &tuf.Snapshot{}
		if _, err := parse(d.Role, d.Body, tuf.MaxDocument, p.snapshot); err != nil {
			return err
		}
	}
	return nil
}

func (p *papers) version(role string) uint32 {
	if d := p.now[role]; d != nil {
		return d.Version
	}
	return 0
}

// delegation returns the delegation of a role, nil if targets has none.
func (p *papers) delegation(role string) *tuf.DelegatedRole {
	if p.targets == nil {
		return nil
	}
	for i := range p.targets.Delegations.Roles {
		if d := &p.targets.Delegations.Roles[i]; d.Name == role {
			return d
		}
	}
	return nil
}

// keysOf returns the keys and threshold of a role.
func (p *papers) keysOf(role string) (keys map[string]p256.Key, ids []string, threshold int) {
	of := func(r tuf.Role) (map[string]p256.Key, []string, int) { return p.root.Keys, r.KeyIDs, r.Threshold }
	switch role {
	case ota.TrustRoleRoot:
		return of(p.root.Roles.Root)
	case ota.TrustRoleTargets:
		return of(p.root.Roles.Targets)
	case ota.TrustRoleSnapshot:
		return of(p.root.Roles.Snapshot)
	case ota.TrustRoleTimestamp:
		return of(p.root.Roles.Timestamp)
	}
	if d := p.delegation(role); d != nil {
		return p.targets.Delegations.Keys, d.KeyIDs, d.Threshold
	}
	return nil, nil, 0
}

// onlineSigner returns the key of ours that signs for an online role.
func (p *papers) onlineSigner(use string) (p256.Signer, error) {
	keys, ids, threshold := p.keysOf(use)
	for _, s := range p.keys[use] {
		id := s.Public().ID()
		if _, ok := keys[id]; ok && slices.Contains(ids, id) && threshold == 1 {
			return s, nil
		}
	}
	return nil, ota.Conflict(ota.CodeTrustOnlineKeys, "the root does not list this server's key for the role %s with the threshold 1", use).
		WithField("document").WithHint("GET the trust of the app for the keys to list under online, and make the root anew")
}

// issue makes the snapshot and timestamp that follow from what is in force. Without
// targets there is nothing for them to name yet.
func (p *papers) issue(ctx context.Context, app string, now time.Time, snapshotTTL, timestampTTL time.Duration, what string) ([]*Document, error) {
	if p.targets == nil {
		return nil, nil
	}
	var made []*Document
	if what != ota.TrustRoleTimestamp {
		d, err := p.issueSnapshot(ctx, app, now, snapshotTTL)
		if err != nil {
			return nil, err
		}
		made = append(made, d)
	}
	d, err := p.issueTimestamp(ctx, app, now, timestampTTL)
	if err != nil {
		return nil, err
	}
	return append(made, d), p.read()
}

func (p *papers) issueSnapshot(ctx context.Context, app string, now time.Time, ttl time.Duration) (*Document, error) {
	signer, err := p.onlineSigner(UseSnapshot)
	if err != nil {
		return nil, err
	}
	doc := tuf.Snapshot{
		Type: tuf.RoleSnapshot, SpecVersion: tuf.SpecVersion, Version: p.version(ota.TrustRoleSnapshot) + 1,
		Expires: canon.At(now.Add(ttl)), Meta: map[string]tuf.MetaFile{},
	}
	for _, role := range []string{ota.TrustRoleTargets, ota.TrustRoleStaging} {
		if d := p.now[role]; d != nil {
			doc.Meta[role+".json"] = metaOf(d)
		}
	}
	return p.issued(ctx, app, ota.TrustRoleSnapshot, doc.Version, doc.Expires, doc, signer, now)
}

func (p *papers) issueTimestamp(ctx context.Context, app string, now time.Time, ttl time.Duration) (*Document, error) {
	signer, err := p.onlineSigner(UseTimestamp)
	if err != nil {
		return nil, err
	}
	doc := tuf.Timestamp{
		Type: tuf.RoleTimestamp, SpecVersion: tuf.SpecVersion, Version: p.version(ota.TrustRoleTimestamp) + 1,
		Expires: canon.At(now.Add(ttl)), Meta: tuf.TimestampMeta{Snapshot: metaOf(p.now[ota.TrustRoleSnapshot])},
	}
	return p.issued(ctx, app, ota.TrustRoleTimestamp, doc.Version, doc.Expires, doc, signer, now)
}

func (p *papers) issued(ctx context.Context, app, role string, version uint32, expires canon.Time, doc any, signer p256.Signer, now time.Time) (*Document, error) {
	body, err := sign(ctx, doc, signer)
	if err != nil {
		return nil, err
	}
	d := &Document{
		App: app, Role: role, Version: version, SHA256: ota.Sum(body), Body: body,
		ExpiresAt: expires.UnixMilli(), CreatedAt: now.UnixMilli(), CreatedBy: string(actor),
	}
	p.put(d)
	return d, nil
}

func metaOf(d *Document) tuf.MetaFile {
	return tuf.MetaFile{Version: d.Version, Length: int64(len(d.Body)), Hashes: tuf.Hashes{SHA256: d.SHA256.String()}}
}
