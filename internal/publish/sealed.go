package publish

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"io"
	"io/fs"
	"slices"
	"sync"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/canon"
	"github.com/waxwing-ota/waxwing/internal/core/cobblestone"
	"github.com/waxwing-ota/waxwing/internal/core/epochkey"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
	"github.com/waxwing-ota/waxwing/internal/core/tuf"
)

// Sealed says how a bundle is sealed.
type Sealed struct {
	// Signer signs the staging role; nil = the manifest is registered, and waits for
	// the keys of its role.
	Signer p256.Signer
	Class  string // sealed.ClassStaging or sealed.ClassProduction

	// Key is that of Epoch, kept from an earlier push; zero = a new epoch is begun
	// with a key that Random makes. Keep, if not nil, is given the key of a new
	// epoch before anything is encrypted under it.
	Key    cobblestone.Key
	Epoch  int64
	Keep   func(epoch int64, key cobblestone.Key) error
	Random io.Reader // cryptographic

	NoDedupe  bool // the epoch is of this release alone
	NoEncrypt bool // the files are stored as they are
	NoPatches bool
	Platforms []string // sorted; none = all of ours
	MaxNative string   // the highest native version that may run it; "" = any
	Floor     int64    // once it was activated, nothing lower ever is; 0 = the floor in force
}

// SealedResult says what came of it.
type SealedResult struct {
	Manifest ota.Digest `json:"manifest"`
	Class    string     `json:"class"`
	Seq      int64      `json:"seq"`
	Floor    int64      `json:"floor"`
	Epoch    int64      `json:"epoch"` // 0 = not encrypted
	Custody  string     `json:"custody,omitempty"`
	Created  bool       `json:"created"` // false = it was registered before
	Patches  Volume     `json:"patches"` // stored bytes
	Uploaded Volume     `json:"uploaded"`
	Reused   Volume     `json:"reused"`
	Approved bool       `json:"approved"` // signed metadata in force lists it
}

// sealedServer is the part of the admin API that sealed bundles need.
type sealedServer interface {
	SealedPlace(ctx context.Context, app string) (ota.SealedPlace, error)
	SealedManifests(ctx context.Context, app, version string, page ota.Page) ([]ota.SealedManifest, string, error)
	AddSealedManifest(ctx context.Context, app string, in ota.NewSealedManifest) (ota.SealedManifest, bool, error)
	Trust(ctx context.Context, app string) (ota.TrustStatus, error)
	TrustMetadata(ctx context.Context, app, role string, version uint32) (ota.TrustDocument, error)
	TrustTarget(ctx context.Context, app, sha256 string) ([]byte, error)
	PublishTrust(ctx context.Context, app, role string, in ota.TrustUpload) (ota.TrustPublished, error)
	OpenBlob(ctx context.Context, app string, d ota.Digest) (io.ReadCloser, int64, error)
}

// recipients knows whom the keys of an app are sealed to.
type recipients interface {
	SealedRecipient(ctx context.Context, app string) (ota.SealedRecipient, error)
}

// sealing is one run of it.
type sealing struct {
	*push
	o      Sealed
	server sealedServer
	place  ota.SealedPlace
	keys   []ota.SealedKey // of a new epoch, wrapped
	doc    sealed.Manifest
	old    *sealed.Manifest // what patches are made against; nil = nothing
	out    *SealedResult

	counting sync.Mutex
	fetched  int64 // bytes of the release before
}

// publishSealed makes the sealed form of a bundle that is published already.
func (p *push) publishSealed(ctx context.Context) error {
	server, ok := p.server.(sealedServer)
	if !ok {
		return ota.Errorf(ota.KindInternal, "internal", "the server takes no sealed bundles")
	}
	s := &sealing{push: p, o: *p.o.Sealed, server: server, out: &SealedResult{Class: p.o.Sealed.Class}}
	p.result.Sealed = s.out
	have, _, err := server.SealedManifests(ctx, p.o.App, p.o.Version, ota.Page{})
	if err != nil {
		return err
	}
	for i := range have {
		if have[i].Class == s.o.Class {
			return s.known(ctx, have[i])
		}
	}
	if s.place, err = server.SealedPlace(ctx, p.o.App); err != nil {
		return err
	}
	if err := s.chooseEpoch(ctx); err != nil {
		return err
	}
	if err := s.readOld(ctx); err != nil {
		return err
	}
	p.progress.Phase("sealing and uploading %d files", len(p.scan.Files))
	if err := s.files(ctx); err != nil {
		return err
	}
	m, created, err := s.register(ctx)
	if err != nil {
		return err
	}
	s.out.Created = created
	return s.approve(ctx, m)
}

// known goes on with a manifest that an earlier push registered.
func (s *sealing) known(ctx context.Context, m ota.SealedManifest) error {
	s.fill(m)
	return s.approve(ctx, m)
}

func (s *sealing) fill(m ota.SealedManifest) {
	s.out.Manifest, s.out.Seq, s.out.Floor, s.out.Epoch, s.out.Approved = m.SHA256, m.Seq, m.Floor, m.Epoch, m.Approved
}

// chooseEpoch finds the key that files are encrypted under.
func (s *sealing) chooseEpoch(ctx context.Context) error {
	if s.o.NoEncrypt {
		s.o.Epoch, s.o.Key = 0, cobblestone.Key{}
		return nil
	}
	if !s.o.Key.IsZero() && !s.o.NoDedupe && s.o.Epoch >= max(s.place.MinEpoch, 1) && s.o.Epoch <= s.place.Epoch {
		return nil // the key is in custody since the epoch began
	}
	if s.o.Key.IsZero() || s.o.NoDedupe || s.o.Epoch != s.place.Epoch+1 {
		var err error
		if s.o.Key, err = cobblestone.NewKey(s.o.Random); err != nil {
			return err
		}
		s.o.Epoch = max(s.place.Epoch+1, s.place.MinEpoch)
		if s.o.Keep != nil {
			if err := s.o.Keep(s.o.Epoch, s.o.Key); err != nil {
				return err
			}
		}
	}
	return s.wrap(ctx)
}

// wrap seals the key of a new epoch to whoever hands it out.
func (s *sealing) wrap(ctx context.Context) error {
	who, ok := s.server.(recipients)
	if !ok {
		return ota.Errorf(ota.KindInternal, "internal", "nobody takes content keys into custody")
	}
	r, err := who.SealedRecipient(ctx, s.push.o.App)
	if err != nil {
		return err
	}
	s.out.Custody = r.Custody
	type recipient struct{ name, hpke string }
	to := []recipient{{"", r.HPKE}}
	if r.Custody == ota.CustodyBroker {
		doc, err := s.server.TrustMetadata(ctx, s.push.o.App, ota.TrustRoleTrust, 0)
		if err != nil {
			return err
		}
		trust, err := sealed.Parse[sealed.Trust](doc.Document)
		if err != nil {
			return err
		}
		to = nil
		for _, b := range trust.Broker {
			to = append(to, recipient{b.Name, hex.EncodeToString(b.HPKE)})
		}
		if len(to) == 0 {
			return ota.Conflict(ota.CodeSealedEpoch, "the app's keys are for a key broker, and its trust.json names none").
				WithHint("name one: waxwing trust set --broker; or let the server hand keys out")
		}
	}
	for _, t := range to {
		point, err := hex.DecodeString(t.hpke)
		if err != nil {
			return ota.Invalid(ota.CodeSealedEpoch, "the key of the recipient %q is not hex", t.name)
		}
		wrapped, err := epochkey.Seal(point, s.push.o.App, s.o.Epoch, s.o.Key)
		if err != nil {
			return err
		}
		s.keys = append(s.keys, ota.SealedKey{Epoch: s.o.Epoch, Custody: r.Custody, Recipient: t.name, Wrapped: wrapped})
	}
	return nil
}

// readOld fetches the manifest before, if what it lists can be opened here.
func (s *sealing) readOld(ctx context.Context) error {
	m := s.place.Latest
	if m == nil || s.o.NoPatches || m.Epoch != s.o.Epoch {
		return nil
	}
	raw, err := s.server.TrustTarget(ctx, s.push.o.App, m.SHA256.String())
	if err != nil {
		return err
	}
	s.old, err = sealed.Parse[sealed.Manifest](raw)
	return err
}

// register makes the manifest and registers it.
func (s *sealing) register(ctx context.Context) (ota.SealedManifest, bool, error) {
	s.manifest()
	body, err := sealed.Encode(&s.doc)
	if err != nil {
		return ota.SealedManifest{}, false, err
	}
	sum := ota.Sum(body)
	if err := s.up.send(ctx, sum, body); err != nil {
		return ota.SealedManifest{}, false, err
	}
	m, created, err := s.server.AddSealedManifest(ctx, s.push.o.App, ota.NewSealedManifest{SHA256: sum, Keys: s.keys})
	if err == nil {
		s.fill(m)
	}
	return m, created, err
}

func (s *sealing) manifest() {
	d := &s.doc
	d.Suite, d.App, d.Version, d.Class = sealed.SuiteS1, s.push.o.App, s.push.o.Version, s.o.Class
	d.Platforms = s.o.Platforms
	if len(d.Platforms) == 0 {
		d.Platforms = []string{"android", "electron", "ios"}
	}
	d.Seq, d.Floor = s.place.NextSeq, max(s.place.Floor, s.o.Floor)
	d.Native = sealed.Native{Min: "0.0.0", Max: s.o.MaxNative}
	if s.push.o.MinNative != "" {
		d.Native.Min = s.push.o.MinNative
	}
	d.Created = canon.At(time.Now())
	d.Tree = sealed.TreeHash(d.Files)
	d.Encryption = sealed.Encryption{Mode: s.mode(), Epoch: s.o.Epoch, Dedupe: !s.o.NoDedupe && !s.o.NoEncrypt}
	if d.Patches == nil {
		d.Patches = []sealed.Patch{}
	}
	if r := s.result.Scan; r != nil {
		d.Scan = r.Digest.String()
	}
	if !s.provenance.IsZero() {
		d.Provenance = s.provenance.String()
	}
}

func (s *sealing) mode() string {
	if s.o.NoEncrypt {
		return sealed.EncryptionNone
	}
	return sealed.EncryptionCobblestone
}

// approve lists the manifest in the staging role, if there is a key for it.
// Somebody else may have published meanwhile: then the next version is made anew.
func (s *sealing) approve(ctx context.Context, m ota.SealedManifest) error {
	if m.Approved || s.o.Signer == nil || m.Class != sealed.ClassStaging {
		if !m.Approved {
			s.waits(m)
		}
		return nil
	}
	s.progress.Phase("signing the staging role")
	for attempt := 0; ; attempt++ {
		err := s.list(ctx, m)
		if err == nil {
			s.out.Approved = true
			return nil
		}
		if ota.CodeOf(err) != ota.CodeTrustVersion || attempt == maxAttempts {
			return err
		}
	}
}

func (s *sealing) waits(m ota.SealedManifest) {
	s.warn("sealed_waits", "devices get manifest %d once its role has signed it: waxwing trust approve %s", m.Seq, m.Version)
}

// stagingDays is how long a CI job's signature stands.
const stagingDays = 30

func (s *sealing) list(ctx context.Context, m ota.SealedManifest) error {
	raw, err := s.server.TrustTarget(ctx, s.push.o.App, m.SHA256.String())
	if err != nil {
		return err
	}
	path := sealed.TargetPath(m.Class, m.App, m.Seq)
	file, err := tuf.File(path, raw)
	if err != nil {
		return err
	}
	plan := tuf.TargetsPlan{Targets: map[string]tuf.TargetFile{}}
	next := tuf.NewTargets
	have, err := s.server.TrustMetadata(ctx, s.push.o.App, ota.TrustRoleStaging, 0)
	if err == nil {
		doc, err := tuf.ParseTargets(have.Document)
		if err != nil {
			return err
		}
		plan, next = doc.Plan(), doc.Next
	} else if ota.CodeOf(err) != ota.CodeTrustNone {
		return err
	}
	plan.Targets[path], plan.Expires = file, time.Now().Add(stagingDays*24*time.Hour)
	doc, err := next(plan)
	if err != nil {
		return err
	}
	signed, err := tuf.Sign(ctx, doc, s.o.Signer)
	if err != nil {
		return err
	}
	_, err = s.server.PublishTrust(ctx, s.push.o.App, ota.TrustRoleStaging, ota.TrustUpload{Document: signed})
	return err
}

// EpochKey is the file that a publisher keeps the key of an epoch in.
type EpochKey struct {
	App   string `json:"app"`
	Epoch int64  `json:"epoch"`
	Key   []byte `json:"key"`
}

// ParseEpochKey reads such a file.
func ParseEpochKey(b []byte, app string) (int64, cobblestone.Key, error) {
	var k EpochKey
	bad := ota.Invalid("epoch_key_invalid", "this is no file with the content key of an epoch of app %s", app).WithField("epoch-key").
		WithHint("name the file that push wrote, or a new one")
	if err := json.Unmarshal(b, &k); err != nil || k.App != app || k.Epoch < 1 {
		return 0, cobblestone.Key{}, bad
	}
	key, err := cobblestone.KeyFrom(k.Key)
	if err != nil {
		return 0, key, bad.WithCause(err)
	}
	return k.Epoch, key, nil
}

// readPlain reads a file of the build, which must not have changed.
func (s *sealing) readPlain(f ota.TreeFile) ([]byte, error) {
	plain, err := fs.ReadFile(s.push.o.Dir, f.Path)
	if err != nil {
		return nil, ota.Invalid("file_unreadable", "cannot read %s: %s", f.Path, err).WithHint("check that it exists and that you may read it")
	}
	if ota.Sum(plain) != f.Hash {
		return nil, ota.Conflict("file_changed", "%s changed while it was being published", f.Path).WithHint("let the build finish, then push again")
	}
	return plain, nil
}

// comparePatches orders as manifests do.
func comparePatches(a, b sealed.Patch) int {
	if a.Path != b.Path {
		if a.Path < b.Path {
			return -1
		}
		return 1
	}
	return slices.Compare([]byte(a.From), []byte(b.From))
}
