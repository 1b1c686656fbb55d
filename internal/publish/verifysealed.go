package publish

import (
	"context"
	"fmt"
	"io"

	"github.com/waxwing-ota/waxwing/internal/core/cobblestone"
	"github.com/waxwing-ota/waxwing/internal/core/delta"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
)

// Opener is what checking a sealed bundle needs of the API.
type Opener interface {
	TrustTarget(ctx context.Context, app, sha256 string) ([]byte, error)
	OpenBlob(ctx context.Context, app string, d ota.Digest) (io.ReadCloser, int64, error)
}

// SealedReport says what a check of a sealed bundle found.
type SealedReport struct {
	Manifest  ota.Digest `json:"manifest"`
	Class     string     `json:"class"`
	Seq       int64      `json:"seq"`
	Mode      string     `json:"mode"`
	Epoch     int64      `json:"epoch"`
	Files     Volume     `json:"files"`     // that are right, in stored bytes
	Patches   Volume     `json:"patches"`   // that are right, in stored bytes
	Decrypted bool       `json:"decrypted"` // the plain content was checked, too
	Problems  []Problem  `json:"problems"`
	OK        bool       `json:"ok"`
}

// VerifySealed checks a manifest and all it lists: the stored bytes of each file
// and patch, and with the key of its epoch what they hold, as a device would.
func VerifySealed(ctx context.Context, c Opener, app string, manifest ota.Digest, key cobblestone.Key) (*SealedReport, error) {
	raw, err := c.TrustTarget(ctx, app, manifest.String())
	if err != nil {
		return nil, err
	}
	rep := &SealedReport{Manifest: manifest, Problems: []Problem{}}
	if ota.Sum(raw) != manifest {
		return nil, ota.Errorf(ota.KindInternal, "blob_corrupt", "the manifest is not the bytes that its name says")
	}
	m, err := sealed.Parse[sealed.Manifest](raw)
	if err != nil {
		return nil, err
	}
	rep.Class, rep.Seq, rep.Mode, rep.Epoch = m.Class, m.Seq, m.Encryption.Mode, m.Encryption.Epoch
	rep.Decrypted = m.Encryption.Mode == sealed.EncryptionNone || !key.IsZero()
	v := sealedCheck{ctx: ctx, c: c, app: app, m: m, key: key, rep: rep}
	for i := range m.Files {
		f := &m.Files[i]
		if _, ok, err := v.content(f.Path, f.Blob, f.EncSize, f.SHA256, f.Size); err != nil {
			return nil, err
		} else if ok {
			rep.Files.Count++
			rep.Files.Bytes += f.EncSize
		}
	}
	for i := range m.Patches {
		if err := v.patch(&m.Patches[i]); err != nil {
			return nil, err
		}
	}
	rep.OK = len(rep.Problems) == 0
	return rep, nil
}

// SealedSource is what checking all manifests of a version needs of the API.
type SealedSource interface {
	Source
	Opener
	SealedManifests(ctx context.Context, app, version string, page ota.Page) ([]ota.SealedManifest, string, error)
}

// VerifyAll is Verify, and VerifySealed of every manifest of the version. A
// version that is for devices of sealed updates alone has nothing else to check.
func VerifyAll(ctx context.Context, c SealedSource, p Published, key cobblestone.Key) (*Report, error) {
	manifests, _, err := c.SealedManifests(ctx, p.App, p.Version, ota.Page{})
	if err != nil {
		return nil, err
	}
	rep, err := Verify(ctx, c, p)
	if ota.CodeOf(err) == "variant_not_found" && len(manifests) > 0 && p.Key == nil {
		rep, err = newReport(), nil
		rep.App, rep.Version, rep.OK = p.App, p.Version, true
	}
	if err != nil {
		return nil, err
	}
	for _, m := range manifests {
		k := key
		if m.Epoch != p.Epoch {
			k = cobblestone.Key{}
		}
		s, err := VerifySealed(ctx, c, p.App, m.SHA256, k)
		if err != nil {
			return nil, err
		}
		if !s.Decrypted {
			rep.note("what manifest %d encrypts was not opened: give the key of epoch %d with --epoch-key", m.Seq, m.Epoch)
		}
		if !m.Approved {
			rep.note("no signed metadata in force lists manifest %d yet", m.Seq)
		}
		rep.Sealed, rep.OK = append(rep.Sealed, s), rep.OK && s.OK
	}
	return rep, nil
}

type sealedCheck struct {
	ctx context.Context //nolint:containedctx // lives within one call
	c   Opener
	app string
	m   *sealed.Manifest
	key cobblestone.Key
	rep *SealedReport
}

func (v *sealedCheck) fault(object, code, format string, a ...any) {
	if len(v.rep.Problems) < maxProblems {
		v.rep.Problems = append(v.rep.Problems, Problem{object, code, fmt.Sprintf(format, a...)})
	}
}

// content checks stored bytes, and what they hold if that can be known; ok says
// that nothing is wrong.
func (v *sealedCheck) content(object, blob string, stored int64, sha256 string, size int64) (plain []byte, ok bool, err error) {
	d, err := ota.ParseDigest(blob)
	if err != nil {
		return nil, false, err
	}
	body, _, err := v.c.OpenBlob(v.ctx, v.app, d)
	if ota.KindOf(err) == ota.KindNotFound && err != nil {
		v.fault(object, "blob_not_found", "its stored bytes are gone")
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	defer body.Close()
	b, err := io.ReadAll(io.LimitReader(body, stored+1))
	if err != nil {
		return nil, false, err
	}
	if int64(len(b)) != stored || ota.Sum(b) != d {
		v.fault(object, "blob_corrupt", "its stored bytes are not what the manifest says")
		return nil, false, nil
	}
	want, err := ota.ParseDigest(sha256)
	if err != nil {
		return nil, false, err
	}
	if v.m.Encryption.Mode != sealed.EncryptionNone {
		if v.key.IsZero() {
			return nil, true, nil
		}
		s := sealing{o: Sealed{Key: v.key}, push: &push{o: Options{App: v.app}}}
		if b, err = s.open(b, want); err != nil {
			v.fault(object, "sealed_key_wrong", "it does not open with the key: %s", err)
			return nil, false, nil
		}
	}
	if int64(len(b)) != size || ota.Sum(b) != want {
		v.fault(object, "content_mismatch", "what it holds is not what the manifest says")
		return nil, false, nil
	}
	return b, true, nil
}

// patch checks a patch; from nothing it is applied as well.
func (v *sealedCheck) patch(p *sealed.Patch) error {
	object := "patch of " + p.Path
	b, ok, err := v.content(object, p.Blob, p.EncSize, p.SHA256, p.Size)
	if err != nil || !ok {
		return err
	}
	if f := v.m.File(p.Path); b != nil && f != nil && p.From == delta.Nothing().String() {
		out, err := delta.Apply(nil, b, f.Size)
		if err != nil || ota.Sum(out).String() != f.SHA256 {
			v.fault(object, "patch_wrong", "it does not make the file")
			return nil
		}
	}
	v.rep.Patches.Count++
	v.rep.Patches.Bytes += p.EncSize
	return nil
}
