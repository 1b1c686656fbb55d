package publish

import (
	"sync"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/pack"
	"github.com/waxwing-ota/waxwing/internal/core/seal"
)

// content names a stored form of a file: its plain content, and whether only
// the brotli form will do.
type content struct {
	hash   ota.Digest
	brotli bool
}

// variant is one packing of the bundle while it is being made.
type variant struct {
	key     *seal.PrivateKey // nil = plain
	session seal.Session
	kind    string // SessionEpoch, …
	wire    string // of the session; "" = plain
	zip     ota.Variant

	mu     sync.Mutex
	stored map[content]ota.VariantFile // known to the server, or uploaded by us
}

// newVariants makes the variants of a push, those of the keys first.
func newVariants(o Options, t *target, tree ota.Digest) ([]*variant, error) {
	var vs []*variant
	for _, k := range t.keys {
		v := &variant{key: k, kind: SessionEpoch, session: k.EpochSession(o.App, 0)}
		if t.channel != nil && t.channel.Policy.FreshKey {
			v.kind, v.session = SessionFresh, k.FreshSession(o.App, o.Version, tree)
		}
		var err error
		if v.wire, err = k.SealSession(v.session); err != nil {
			return nil, err
		}
		vs = append(vs, v)
	}
	if t.plain {
		vs = append(vs, &variant{kind: SessionNone})
	}
	for _, v := range vs {
		v.stored = map[content]ota.VariantFile{}
	}
	return vs, nil
}

// encoding is how the server names what the variant's files were made with.
func (v *variant) encoding() ota.Encoding {
	if v.key == nil {
		return ota.Encoding{}
	}
	return ota.Encoding{KeyID: v.key.Public().ID(), SessionKey: v.wire}
}

// needs says which stored form a file must have in the variant. Devices cannot
// decrypt nothing, so an empty file travels as brotli there.
func (v *variant) needs(f ota.TreeFile) content {
	return content{f.Hash, pack.NeedsBrotli(f.Path) || v.key != nil && f.Size == 0}
}

// learn takes over what the server says it has. An entry is believed only if
// our own key signed it.
func (v *variant) learn(known []ota.VariantFile) {
	for _, f := range known {
		if !v.vouchesFor(f) {
			continue
		}
		v.stored[content{f.Hash, f.Brotli}] = f
		if _, have := v.stored[content{f.Hash, false}]; !have {
			v.stored[content{f.Hash, false}] = f // either form will do here
		}
	}
}

func (v *variant) vouchesFor(f ota.VariantFile) bool {
	if f.Blob.IsZero() || f.Hash.IsZero() {
		return false
	}
	if v.key == nil {
		return f.WireHash == f.Hash.String()
	}
	d, err := v.key.Public().OpenHash(f.WireHash)
	return err == nil && d == f.Hash
}

// has returns the stored form of a file, if there is one.
func (v *variant) has(f ota.TreeFile) (ota.VariantFile, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	s, ok := v.stored[v.needs(f)]
	return s, ok
}

func (v *variant) store(c content, f ota.VariantFile) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.stored[c] = f
}

// seal returns the bytes to store and the hash to sign for a file's packed form.
func (v *variant) seal(packed []byte, brotli bool, f ota.TreeFile) (ota.VariantFile, []byte, error) {
	out := ota.VariantFile{Hash: f.Hash, Size: f.Size, Brotli: brotli, WireHash: f.Hash.String()}
	if v.key != nil {
		var err error
		if out.WireHash, err = v.key.SealHash(f.Hash); err != nil {
			return out, nil, err
		}
		packed = v.session.EncryptBytes(packed)
	}
	out.Blob, out.StoredSize = ota.Sum(packed), int64(len(packed))
	return out, packed, nil
}

// finish returns the variant as it is published; its zip must be set. With
// files, the file list aligns with the tree.
func (v *variant) finish(tree []ota.TreeFile, withFiles bool) (ota.Variant, error) {
	out := v.zip
	out.KeyID, out.SessionKey = v.encoding().KeyID, v.wire
	if !withFiles {
		return out, nil
	}
	out.Files = make([]ota.VariantFile, len(tree))
	for i, f := range tree {
		s, ok := v.has(f)
		if !ok {
			return out, ota.Errorf(ota.KindInternal, "file_not_stored", "%s was not stored", f.Path)
		}
		s.Name = pack.WireName(f.Path, s.Brotli)
		out.Files[i] = s
	}
	return out, nil
}
