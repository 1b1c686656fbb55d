package trust

import (
	"context"
	"io"
	"strconv"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/tuf"
)

// Served is a file of an app's repository.
type Served struct {
	Body    []byte            // what it is, or
	Blob    io.ReadSeekCloser // where it is read; the caller closes it
	SHA256  ota.Digest
	Changes bool // the name stays when the content changes
}

// MetadataFile finds a file of signed metadata by its name in a TUF repository.
func (s *Service) MetadataFile(app, name string) (Served, error) {
	v := s.view(app)
	if v == nil {
		return Served{}, unknownApp(app)
	}
	missing := ota.NotFound(ota.CodeSealedUnknown, "app %q has no such metadata", app)
	if name == tuf.FileName(tuf.RoleTimestamp, 0) {
		d := v.now[ota.TrustRoleTimestamp]
		if d == nil {
			return Served{}, missing
		}
		return Served{Body: d.Body, SHA256: d.SHA256, Changes: true}, nil
	}
	number, rest, ok := strings.Cut(name, ".")
	role, ok2 := strings.CutSuffix(rest, ".json")
	n, err := strconv.ParseUint(number, 10, 32)
	if !ok || !ok2 || err != nil || role == ota.TrustRoleTrust || role == tuf.RoleTimestamp || tuf.FileName(role, uint32(n)) != name {
		return Served{}, missing
	}
	d := v.docs[role][uint32(n)]
	if d == nil {
		return Served{}, missing
	}
	return Served{Body: d.Body, SHA256: d.SHA256}, nil
}

// TargetFile finds an approved manifest, or trust.json, by its name in a TUF
// repository: its SHA-256 stands before the last part of its path.
func (s *Service) TargetFile(ctx context.Context, app, name string) (Served, error) {
	v := s.view(app)
	if v == nil {
		return Served{}, unknownApp(app)
	}
	missing := ota.NotFound(ota.CodeSealedUnknown, "app %q has no such target in force", app)
	dir, file := "", name
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		dir, file = name[:i+1], name[i+1:]
	}
	sum, last, ok := strings.Cut(file, ".")
	d, err := ota.ParseDigest(sum)
	if !ok || err != nil {
		return Served{}, missing
	}
	if t := v.now[ota.TrustRoleTrust]; t != nil && t.SHA256 == d && dir+last == tuf.TrustPath {
		return Served{Body: t.Body, SHA256: d}, nil
	}
	if m := v.byDigest[d]; m == nil || m.Path != dir+last {
		return Served{}, missing
	}
	r, _, err := s.Blobs.Open(ctx, d)
	return Served{Blob: r, SHA256: d}, err
}

// BlobFile opens a sealed file that an approved manifest needs.
func (s *Service) BlobFile(ctx context.Context, app string, d ota.Digest) (Served, error) {
	v := s.view(app)
	if v == nil {
		return Served{}, unknownApp(app)
	}
	if _, ok := v.blobs[d]; !ok {
		return Served{}, ota.NotFound(ota.CodeSealedUnknown, "no approved manifest of app %q needs %s", app, d)
	}
	r, _, err := s.Blobs.Open(ctx, d)
	return Served{Blob: r, SHA256: d}, err
}
