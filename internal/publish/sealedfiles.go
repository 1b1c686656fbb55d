package publish

import (
	"bytes"
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"io"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/waxwing-ota/waxwing/internal/core/cobblestone"
	"github.com/waxwing-ota/waxwing/internal/core/delta"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
)

// maxOld bounds what is fetched of the release before to make patches.
const maxOld = 64 << 20

// files seals every file and its patches, and uploads what the server lacks.
func (s *sealing) files(ctx context.Context) error {
	s.doc.Files = make([]sealed.File, len(s.scan.Files))
	var mu sync.Mutex
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(parallelFiles)
	for i, f := range s.scan.Files {
		g.Go(func() error {
			plain, err := s.readPlain(f)
			if err != nil {
				return err
			}
			blob, size, err := s.seal(ctx, plain)
			if err != nil {
				return err
			}
			s.doc.Files[i] = sealed.File{Path: f.Path, Size: f.Size, SHA256: f.Hash.String(), Blob: blob.String(), EncSize: size}
			patches, err := s.patches(ctx, f, plain)
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			s.doc.Patches = append(s.doc.Patches, patches...)
			return nil
		})
	}
	err := g.Wait()
	slices.SortFunc(s.doc.Patches, comparePatches)
	return err
}

// seal encrypts content, or takes it as it is, and uploads it if it is missing.
func (s *sealing) seal(ctx context.Context, plain []byte) (ota.Digest, int64, error) {
	stored := plain
	if !s.o.NoEncrypt {
		var err error
		if stored, err = encrypt(s.o.Key, s.push.o.App, plain); err != nil {
			return ota.Digest{}, 0, err
		}
	}
	sum, size := ota.Sum(stored), int64(len(stored))
	_, there, err := s.push.server.BlobOffset(ctx, s.push.o.App, sum)
	if err != nil && ota.KindOf(err) != ota.KindNotFound {
		return sum, size, err
	}
	s.count(there, size)
	if there {
		return sum, size, nil
	}
	return sum, size, s.up.send(ctx, sum, stored)
}

func (s *sealing) count(reused bool, size int64) {
	s.counting.Lock()
	defer s.counting.Unlock()
	v := &s.out.Uploaded
	if reused {
		v = &s.out.Reused
	}
	v.Count++
	v.Bytes += size
}

// saltInfo separates the header of a blob from other things made of its key.
const saltInfo = "waxwing/blob-salt/v1"

// encrypt seals content under its own key. The header's randomness comes from
// that key, which is used for this content alone: sealed again it is the same
// blob, so a push that was cut off, and the next release, find what is stored.
func encrypt(epoch cobblestone.Key, app string, plain []byte) ([]byte, error) {
	digest := ota.Sum(plain)
	key, err := cobblestone.DeriveBlobKey(epoch, digest)
	if err != nil {
		return nil, err
	}
	salt, err := hkdf.Expand(sha256.New, key.Reveal(), saltInfo, 64)
	if err != nil {
		return nil, err
	}
	about, err := cobblestone.Context(app, digest)
	if err != nil {
		return nil, err
	}
	return cobblestone.Seal(bytes.NewReader(salt), key, about, plain)
}

// patches makes the patches of a file that are worth it: compression, and from
// what the release before had under its path.
func (s *sealing) patches(ctx context.Context, f ota.TreeFile, plain []byte) ([]sealed.Patch, error) {
	if s.o.NoPatches || len(plain) == 0 || len(plain) > delta.MaxFile {
		return nil, nil
	}
	var old [][]byte
	if b, err := s.oldFile(ctx, f); err != nil {
		return nil, err
	} else if b != nil {
		old = append(old, b)
	}
	choices, err := delta.Choose(plain, old...)
	if err != nil {
		return nil, err
	}
	out := make([]sealed.Patch, 0, len(choices))
	for _, c := range choices {
		blob, size, err := s.seal(ctx, c.Patch)
		if err != nil {
			return nil, err
		}
		s.counting.Lock()
		s.out.Patches.Count++
		s.out.Patches.Bytes += size
		s.counting.Unlock()
		out = append(out, sealed.Patch{
			Path: f.Path, From: c.From.String(), Format: delta.Format, Size: int64(len(c.Patch)),
			SHA256: ota.Sum(c.Patch).String(), Blob: blob.String(), EncSize: size,
		})
	}
	return out, nil
}

// oldFile fetches what the release before had under the path of a file; nil =
// the same, nothing, or too much.
func (s *sealing) oldFile(ctx context.Context, f ota.TreeFile) ([]byte, error) {
	if s.old == nil {
		return nil, nil
	}
	was := s.old.File(f.Path)
	if was == nil || was.SHA256 == f.Hash.String() || !s.take(was.Size) {
		return nil, nil
	}
	blob, err := ota.ParseDigest(was.Blob)
	if err != nil {
		return nil, err
	}
	r, _, err := s.server.OpenBlob(ctx, s.push.o.App, blob)
	if ota.KindOf(err) == ota.KindNotFound && err != nil {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer r.Close()
	stored, err := io.ReadAll(io.LimitReader(r, was.EncSize+1))
	if err != nil {
		return nil, err
	}
	digest, err := ota.ParseDigest(was.SHA256)
	if err != nil {
		return nil, err
	}
	plain, err := s.open(stored, digest)
	if err != nil || ota.Sum(plain) != digest {
		return nil, nil // under another key: the whole file is there in any case
	}
	return plain, nil
}

func (s *sealing) open(stored []byte, digest ota.Digest) ([]byte, error) {
	if s.o.NoEncrypt {
		return stored, nil
	}
	key, err := cobblestone.DeriveBlobKey(s.o.Key, digest)
	if err != nil {
		return nil, err
	}
	about, err := cobblestone.Context(s.push.o.App, digest)
	if err != nil {
		return nil, err
	}
	return cobblestone.Open(key, about, stored)
}

// take says whether so many more bytes of the release before may be fetched.
func (s *sealing) take(size int64) bool {
	s.counting.Lock()
	defer s.counting.Unlock()
	if size > delta.MaxFile || s.fetched+size > maxOld {
		return false
	}
	s.fetched += size
	return true
}
