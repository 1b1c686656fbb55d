package trust

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
	"github.com/waxwing-ota/waxwing/internal/core/tuf"
)

// Publish puts a signed document in force, with the files that it lists. It is
// all or nothing: below the threshold, of another version than the next, or with
// a file that is not here, nothing changes.
func (s *Service) Publish(ctx context.Context, by ota.Actor, app, role string, in ota.TrustUpload) (ota.TrustPublished, error) {
	var out ota.TrustPublished
	if err := checkUpload(role, &in); err != nil {
		return out, err
	}
	keys, err := s.ensureKeys(ctx, app)
	if err != nil {
		return out, err
	}
	err = s.Hold(func() error {
		out, err = s.publish(ctx, by, app, role, &in, keys)
		return err
	})
	if err != nil {
		return ota.TrustPublished{}, err
	}
	return out, s.shown(ctx, app)
}

// publish does it while no blob is collected.
func (s *Service) publish(ctx context.Context, by ota.Actor, app, role string, in *ota.TrustUpload, keys keyring) (out ota.TrustPublished, err error) {
	files, err := s.readFiles(ctx, app, in.Files)
	if err != nil {
		return out, err
	}
	return out, s.Store.Update(ctx, by, s.nowMS(), func(tx Tx) (ota.Change, error) {
		p := publication{service: s, tx: tx, app: app, role: role, by: by, files: files}
		if err := p.begin(ctx, keys); err != nil {
			return ota.Change{}, err
		}
		var err error
		out, err = p.accept(ctx, in.Document)
		if err != nil {
			return ota.Change{}, err
		}
		return p.change(&out), nil
	})
}

// shown makes what was committed what devices are answered from.
func (s *Service) shown(ctx context.Context, app string) error {
	if err := s.Refresh(context.WithoutCancel(ctx), app); err != nil {
		return ota.Errorf(ota.KindUnavailable, "change_not_shown", "the change is stored, but devices are still answered from before it").
			WithHint("restart the server; what is stored is whole").WithCause(err)
	}
	return nil
}

func checkUpload(role string, in *ota.TrustUpload) error {
	switch {
	case role == ota.TrustRoleTrust:
		return ota.Invalid(ota.CodeTrustMetadata, "trust.json is not signed by itself").WithField("role").
			WithHint("list it in targets as %s, and send it as a file with the signed targets", tuf.TrustPath)
	case role == ota.TrustRoleSnapshot || role == ota.TrustRoleTimestamp:
		return ota.Invalid(ota.CodeTrustMetadata, "the server signs the %s itself", role).WithField("role").
			WithHint("publish root, targets or staging")
	case role != ota.TrustRoleRoot && role != ota.TrustRoleTargets && role != ota.TrustRoleStaging:
		return ota.Invalid(ota.CodeTrustMetadata, "there is no role %.40q", role).WithField("role").
			WithHint("roles that people sign are root, targets and staging")
	case len(in.Document) == 0 || len(in.Document) > ota.MaxTrustDocument:
		return ota.Invalid(ota.CodeTrustMetadata, "a document has 1 to %d bytes", ota.MaxTrustDocument).WithField("document")
	case len(in.Files) > ota.MaxTrustFiles:
		return ota.Invalid(ota.CodeTrustMetadata, "at most %d files go with a document", ota.MaxTrustFiles).WithField("files")
	}
	return nil
}

// publication is one document on its way into force, within a transaction.
type publication struct {
	service *Service
	tx      Tx
	app     string
	role    string
	by      ota.Actor
	files   *files
	org     string

	papers *papers     // before; with the new document once it is accepted
	fresh  []*Document // to be stored
}

func (p *publication) begin(ctx context.Context, keys keyring) error {
	a, err := p.tx.App(ctx, p.app)
	if err != nil {
		return err
	}
	p.org = a.Org
	if p.papers, err = readPapers(ctx, p.tx, p.app); err != nil {
		return err
	}
	p.papers.keys = keys
	return nil
}

// accept verifies a document and stores what follows from it.
func (p *publication) accept(ctx context.Context, document []byte) (ota.TrustPublished, error) {
	var (
		d   *Document
		sig []tuf.Signature
		err error
	)
	switch p.role {
	case ota.TrustRoleRoot:
		d, sig, err = p.root(document)
	default:
		d, sig, err = p.targets(ctx, document)
	}
	if err != nil {
		return ota.TrustPublished{}, err
	}
	issued, err := p.papers.issue(ctx, p.app, p.service.Now(), p.service.SnapshotTTL, p.service.TimestampTTL, ota.TrustRoleSnapshot)
	if err != nil {
		return ota.TrustPublished{}, err
	}
	p.fresh = append(append(p.fresh, d), issued...)
	if err := p.rehearse(); err != nil {
		return ota.TrustPublished{}, err
	}
	out := ota.TrustPublished{
		Role: p.role, Version: d.Version, ExpiresAt: d.ExpiresAt, Sha256: d.SHA256.String(), Signatures: []ota.TrustSignature{},
	}
	for _, s := range sig {
		out.Signatures = append(out.Signatures, ota.TrustSignature{Key: s.KeyID, Role: p.role, Version: d.Version})
	}
	return out, p.store(ctx, sig)
}

// document makes the row of what was uploaded.
func (p *publication) document(body []byte, version uint32, expires int64) (*Document, error) {
	if expires <= p.service.nowMS() {
		return nil, ota.Invalid(ota.CodeTrustExpired, "the document has expired").WithField("document").
			WithHint("make it anew with a later time of expiry, and sign that")
	}
	return &Document{
		App: p.app, Role: p.role, Version: version, SHA256: ota.Sum(body), Body: body,
		ExpiresAt: expires, CreatedAt: p.service.nowMS(), CreatedBy: string(p.by),
	}, nil
}

// next demands the version that follows the one in force.
func (p *publication) next(version uint32) error {
	if want := p.papers.version(p.role) + 1; version != want {
		return ota.Conflict(ota.CodeTrustVersion, "the %s document has version %d, the next one is %d", p.role, version, want).WithField("document").
			WithHint("fetch what is in force and make the next version from it: somebody may have published meanwhile")
	}
	return nil
}

// threshold demands enough signatures of a role's keys, and returns them.
func threshold(role string, e *envelope, keys map[string]p256.Key, ids []string, need int) ([]tuf.Signature, error) {
	good := e.valid(keys, ids)
	if need < 1 || len(good) < need {
		return nil, ota.Conflict(ota.CodeTrustThreshold, "the %s document has valid signatures of %d of its keys and needs %d", role, len(good), need).
			WithField("document").WithHint("have further keys of the role sign it: waxwing trust sign")
	}
	return good, nil
}

func (p *publication) root(body []byte) (*Document, []tuf.Signature, error) {
	var doc tuf.Root
	e, err := parse(p.role, body, tuf.MaxRoot, &doc)
	if err != nil {
		return nil, nil, err
	}
	if err := doc.Check(); err != nil {
		return nil, nil, err
	}
	if err := p.next(doc.Version); err != nil {
		return nil, nil, err
	}
	own := doc.Roles.Root
	sig, err := threshold(p.role, &e, doc.Keys, own.KeyIDs, own.Threshold)
	if err != nil {
		return nil, nil, err
	}
	if p.papers.now[ota.TrustRoleRoot] != nil {
		keys, ids, need := p.papers.keysOf(p.role)
		before, err := threshold(p.role, &e, keys, ids, need)
		if err != nil {
			return nil, nil, err
		}
		for _, s := range before {
			if !slices.ContainsFunc(sig, func(o tuf.Signature) bool { return o.KeyID == s.KeyID }) {
				sig = append(sig, s)
			}
		}
	}
	d, err := p.document(body, doc.Version, doc.Expires.UnixMilli())
	if err != nil {
		return nil, nil, err
	}
	p.papers.put(d)
	if err := p.papers.read(); err != nil {
		return nil, nil, err
	}
	for _, use := range []string{UseTimestamp, UseSnapshot} {
		if _, err := p.papers.onlineSigner(use); err != nil {
			return nil, nil, err
		}
	}
	return d, sig, nil
}

// targets accepts targets, or what they delegate to.
func (p *publication) targets(ctx context.Context, body []byte) (*Document, []tuf.Signature, error) {
	if p.papers.now[ota.TrustRoleRoot] == nil {
		return nil, nil, ota.NotFound(ota.CodeTrustNone, "app %q has no root yet", p.app).WithHint("begin with: waxwing trust init")
	}
	keys, ids, need := p.papers.keysOf(p.role)
	if need == 0 {
		return nil, nil, ota.Conflict(ota.CodeTrustMetadata, "the targets in force do not delegate to the role %s", p.role).WithField("role").
			WithHint("publish targets that delegate to it first")
	}
	var doc tuf.Targets
	e, err := parse(p.role, body, tuf.MaxDocument, &doc)
	if err != nil {
		return nil, nil, err
	}
	if err := doc.Check(); err != nil {
		return nil, nil, err
	}
	if err := p.next(doc.Version); err != nil {
		return nil, nil, err
	}
	sig, err := threshold(p.role, &e, keys, ids, need)
	if err != nil {
		return nil, nil, err
	}
	if err := p.delegates(&doc); err != nil {
		return nil, nil, err
	}
	if err := p.lists(ctx, &doc); err != nil {
		return nil, nil, err
	}
	d, err := p.document(body, doc.Version, doc.Expires.UnixMilli())
	if err != nil {
		return nil, nil, err
	}
	p.papers.put(d)
	return d, sig, p.papers.read()
}

// delegates lets targets delegate to staging, and staging to nobody.
func (p *publication) delegates(doc *tuf.Targets) error {
	for i := range doc.Delegations.Roles {
		if r := &doc.Delegations.Roles[i]; p.role != ota.TrustRoleTargets || r.Name != tuf.RoleStaging {
			return ota.Invalid(ota.CodeTrustMetadata, "the %s document delegates to %q", p.role, r.Name).WithField("document").
				WithHint("targets may delegate to %s, and nobody else to anybody", tuf.RoleStaging)
		}
	}
	return nil
}

// rehearse does what a device will do with what is about to be published: what
// the client refuses is not put in force. A root may retire the keys of targets
// before targets are signed anew; devices then stay with what they have.
func (p *publication) rehearse() error {
	if p.papers.targets == nil {
		_, err := p.papers.replay(p.service.Now())
		return rehearsed(err)
	}
	c, err := p.papers.replay(p.service.Now())
	if err != nil {
		return rehearsed(err)
	}
	if p.role == ota.TrustRoleRoot {
		return nil
	}
	for _, role := range []string{ota.TrustRoleTargets, p.role} {
		if err := c.UpdateTargets(role, p.papers.now[role].Body, p.service.Now()); err != nil {
			return rehearsed(err)
		}
	}
	return nil
}

func rehearsed(err error) error {
	if err == nil {
		return nil
	}
	return ota.Invalid(ota.CodeTrustMetadata, "devices would refuse the document: %s", err).WithField("document").WithCause(err).
		WithHint("nothing was changed; make the document anew from what is in force")
}

// store writes what is new, with its leaves in the log.
func (p *publication) store(ctx context.Context, sig []tuf.Signature) error {
	for _, d := range p.fresh {
		if err := p.tx.PutTrustDocument(ctx, *d); err != nil {
			return err
		}
		if d.Role == ota.TrustRoleTimestamp {
			continue // it says nothing but that the snapshot is fresh
		}
		if err := p.tx.AppendSealedLeaf(ctx, LeafMetadata, d.SHA256); err != nil {
			return err
		}
	}
	for _, s := range sig {
		der, err := hex.DecodeString(s.Sig)
		if err != nil {
			return fmt.Errorf("signature of %s: %w", s.KeyID, err)
		}
		if err := p.tx.AppendSealedLeaf(ctx, LeafSignature, ota.Sum(der)); err != nil {
			return err
		}
	}
	return nil
}

// change is the record: the document, then one for each signature.
func (p *publication) change(out *ota.TrustPublished) ota.Change {
	c := ota.Change{Action: "trust.publish", App: p.app, Org: p.org, Object: p.role, Detail: ota.JSON(map[string]any{
		"version": out.Version, "sha256": out.Sha256, "expires_at": out.ExpiresAt,
	})}
	for _, s := range out.Signatures {
		c.More = append(c.More, ota.Change{Action: "trust.signature", App: p.app, Org: p.org, Object: s.Key, Detail: ota.JSON(map[string]any{
			"role": s.Role, "version": s.Version, "sha256": out.Sha256,
		})})
	}
	return c
}
