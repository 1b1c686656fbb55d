package trust

import (
	"bytes"
	"context"
	"slices"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
)

// AddManifest registers a manifest of a bundle. Its bytes and all sealed files
// must be uploaded. It is given to nobody before signed metadata lists it. The
// same manifest again changes nothing (created is false).
func (s *Service) AddManifest(ctx context.Context, by ota.Actor, app string, in ota.NewSealedManifest) (m ota.SealedManifest, created bool, err error) {
	err = s.Hold(func() error {
		m, created, err = s.addManifest(ctx, by, app, in)
		return err
	})
	if err == nil && created {
		err = s.shown(ctx, app)
	}
	return m, created, err
}

// addManifest does it while no blob is collected.
func (s *Service) addManifest(ctx context.Context, by ota.Actor, app string, in ota.NewSealedManifest) (m ota.SealedManifest, created bool, err error) {
	body, err := s.readBlob(ctx, in.SHA256, sealed.MaxManifest)
	if ota.KindOf(err) == ota.KindNotFound {
		return m, false, ota.Conflict(ota.CodeSealedBlob, "the manifest %s is not uploaded", in.SHA256).WithField("sha256").
			WithHint("upload its bytes as a blob first; push does that")
	}
	if err != nil {
		return m, false, err
	}
	doc, err := sealed.Parse[sealed.Manifest](body)
	if err != nil {
		return m, false, err
	}
	err = s.Store.Update(ctx, by, s.nowMS(), func(tx Tx) (ota.Change, error) {
		m, created, err = s.register(ctx, tx, by, app, doc, body, in.Keys)
		if err != nil || !created {
			return ota.Change{}, err
		}
		a, err := tx.App(ctx, app)
		return ota.Change{Action: "sealed.manifest", App: app, Org: a.Org, Object: m.Version, Detail: ota.JSON(m)}, err
	})
	return m, created && err == nil, err
}

// register checks a manifest against the bundle of its version and stores it.
func (s *Service) register(ctx context.Context, tx Tx, by ota.Actor, app string, doc *sealed.Manifest, body []byte, keys []ota.SealedKey) (ota.SealedManifest, bool, error) {
	sum := ota.Sum(body)
	have, err := tx.SealedManifest(ctx, app, sum)
	if err == nil {
		return have, false, nil
	}
	if ota.CodeOf(err) != ota.CodeSealedNone {
		return have, false, err
	}
	m := ota.SealedManifest{
		App: app, Version: doc.Version, SHA256: sum, Size: int64(len(body)), Class: doc.Class, Seq: doc.Seq, Floor: doc.Floor,
		Mode: doc.Encryption.Mode, Epoch: doc.Encryption.Epoch, CreatedAt: s.nowMS(), CreatedBy: string(by),
	}
	if doc.App != app {
		return m, false, ota.Invalid(ota.CodeSealedManifest, "the manifest is of app %s", doc.App).WithField("app").WithHint("push it to that app")
	}
	if m.BundleID, err = matching(ctx, tx, app, doc); err != nil {
		return m, false, err
	}
	highest, err := tx.HighestSeq(ctx, app)
	if err != nil {
		return m, false, err
	}
	if doc.Seq <= highest {
		return m, false, ota.Conflict(ota.CodeSealedSeq, "the manifest has number %d, and %d was used already", doc.Seq, highest).WithField("seq").
			WithHint("numbers rise with every manifest of an app; push again to get the next one")
	}
	if err := s.epoch(ctx, tx, by, doc, keys); err != nil {
		return m, false, err
	}
	blobs, err := s.stored(ctx, doc)
	if err != nil {
		return m, false, err
	}
	if err := s.Blobs.Sync(ctx); err != nil { // the row must not survive a power cut that the files do not
		return m, false, err
	}
	return m, true, tx.InsertSealedManifest(ctx, m, blobs)
}

// matching finds the bundle of the manifest's version and demands that both
// list the same files.
func matching(ctx context.Context, r Reader, app string, doc *sealed.Manifest) (int64, error) {
	b, err := r.Bundle(ctx, app, doc.Version)
	if err != nil {
		return 0, err
	}
	if b.DeletedAt != 0 {
		return 0, ota.Conflict(ota.CodeSealedManifest, "version %s was deleted", doc.Version).WithField("version").WithHint("publish under a higher version")
	}
	tree, err := r.BundleTree(ctx, b.ID)
	if err != nil {
		return 0, err
	}
	same := slices.EqualFunc(tree, doc.Files, func(t ota.TreeFile, f sealed.File) bool {
		return t.Path == f.Path && t.Size == f.Size && t.Hash.String() == f.SHA256
	})
	if !same {
		return 0, ota.Conflict(ota.CodeSealedManifest, "version %s was published with other files than the manifest lists", doc.Version).WithField("files").
			WithHint("a version never changes: publish under a higher one")
	}
	return b.ID, nil
}

// epoch demands that the key of the manifest's epoch is in somebody's custody,
// and takes it into custody if the epoch is new.
func (s *Service) epoch(ctx context.Context, tx Tx, by ota.Actor, doc *sealed.Manifest, keys []ota.SealedKey) error {
	n := doc.Encryption.Epoch
	if doc.Encryption.Mode == sealed.EncryptionNone {
		return nil
	}
	have, err := tx.SealedKeys(ctx, doc.App, n)
	if err != nil {
		return err
	}
	for i := range keys {
		k := keys[i]
		k.App, k.CreatedAt, k.CreatedBy = doc.App, s.nowMS(), string(by)
		if err := checkKey(&k, n); err != nil {
			return err
		}
		if slices.ContainsFunc(have, func(h ota.SealedKey) bool { return h.Custody == k.Custody && h.Recipient == k.Recipient }) {
			return ota.Conflict(ota.CodeSealedEpoch, "epoch %d has a key already: somebody began it meanwhile", n).WithField("keys").
				WithHint("push again: that begins the next epoch")
		}
		if err := tx.InsertSealedKey(ctx, k); err != nil {
			return err
		}
		have = append(have, k)
	}
	if len(have) == 0 {
		return ota.Conflict(ota.CodeSealedEpoch, "nobody has the key of epoch %d", n).WithField("keys").
			WithHint("send the key of a new epoch with the manifest, wrapped for the server or the brokers of trust.json")
	}
	return nil
}

// maxWrapped bounds a wrapped key: HPKE with P-256 takes 113 bytes.
const maxWrapped = 4 << 10

func checkKey(k *ota.SealedKey, epoch int64) error {
	bad := func(format string, a ...any) error {
		return ota.Invalid(ota.CodeSealedEpoch, format, a...).WithField("keys")
	}
	switch {
	case k.Epoch != epoch:
		return bad("the key is of epoch %d, the manifest of %d", k.Epoch, epoch)
	case k.Custody != ota.CustodyServer && k.Custody != ota.CustodyBroker:
		return bad("custody is %s or %s", ota.CustodyServer, ota.CustodyBroker)
	case (k.Custody == ota.CustodyBroker) != (k.Recipient != "") || len(k.Recipient) > 255:
		return bad("a broker has a name of up to 255 bytes, the server has none")
	case len(k.Wrapped) == 0 || len(k.Wrapped) > maxWrapped:
		return bad("a wrapped key has 1 to %d bytes", maxWrapped)
	}
	return nil
}

// stored demands that every sealed file is there, in its size.
func (s *Service) stored(ctx context.Context, doc *sealed.Manifest) ([]ota.Digest, error) {
	sizes := make(map[string]int64, len(doc.Files)+len(doc.Patches))
	for i := range doc.Files {
		sizes[doc.Files[i].Blob] = doc.Files[i].EncSize
	}
	for i := range doc.Patches {
		sizes[doc.Patches[i].Blob] = doc.Patches[i].EncSize
	}
	blobs, err := blobsOf(doc)
	if err != nil {
		return nil, err
	}
	for _, d := range blobs {
		size, ok, err := s.Blobs.Has(ctx, d)
		if err != nil {
			return nil, err
		}
		if !ok || size != sizes[d.String()] {
			return nil, ota.Conflict(ota.CodeSealedBlob, "the sealed file %s is not uploaded in the size that the manifest says", d).WithField("files").
				WithHint("push again: only what is missing is uploaded")
		}
	}
	return blobs, nil
}

// files are what came with signed metadata.
type files struct {
	trust     []byte
	document  *sealed.Trust
	manifests map[ota.Digest]manifestFile
}

type manifestFile struct {
	body []byte
	doc  *sealed.Manifest
}

// readFiles parses the files of an upload and stores the manifests.
func (s *Service) readFiles(ctx context.Context, app string, list [][]byte) (*files, error) {
	out := &files{manifests: map[ota.Digest]manifestFile{}}
	for _, b := range list {
		if len(b) == 0 || len(b) > ota.MaxTrustFile {
			return nil, ota.Invalid(ota.CodeTrustMetadata, "a file has 1 to %d bytes", ota.MaxTrustFile).WithField("files")
		}
		if t, err := sealed.Parse[sealed.Trust](b); err == nil {
			if out.trust != nil {
				return nil, ota.Invalid(ota.CodeTrustMetadata, "there are two trust.json among the files").WithField("files")
			}
			out.trust, out.document = b, t
			continue
		}
		m, err := sealed.Parse[sealed.Manifest](b)
		if err != nil {
			return nil, ota.Invalid(ota.CodeTrustMetadata, "a file is neither a manifest nor trust.json").WithField("files").WithCause(err)
		}
		if m.App != app {
			return nil, ota.Invalid(ota.CodeTrustMetadata, "a manifest is of app %s", m.App).WithField("files")
		}
		sum := ota.Sum(b)
		if err := s.Blobs.Put(ctx, sum, bytes.NewReader(b), int64(len(b))); err != nil {
			return nil, err
		}
		out.manifests[sum] = manifestFile{b, m}
	}
	return out, nil
}
