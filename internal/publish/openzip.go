package publish

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/pack"
	"github.com/waxwing-ota/waxwing/internal/core/seal"
)

// sealedZip is a stored zip with what a device is told about it.
type sealedZip struct {
	body       io.Reader
	blob       ota.Digest // zero = not known
	checksum   string
	checksumV2 string
	sessionKey string
}

// opened is a zip that was decrypted and is what was signed.
type opened struct {
	*spool
	sum   ota.Digest
	files []*zip.File
	size  int64 // of the stored form
}

// open decrypts a stored zip and checks it as a device does before and while it
// extracts. key nil means that the zip is plain. The caller must close it.
func open(ctx context.Context, s sealedZip, key *seal.PublicKey, l pack.Limits, tempDir string) (*opened, error) {
	want, err := expected(s, key)
	if err != nil {
		return nil, err
	}
	sp, err := newSpool(ctx, tempDir)
	if err != nil {
		return nil, err
	}
	o := &opened{spool: sp}
	if err := o.fill(s, key); err != nil {
		sp.close()
		return nil, err
	}
	if o.sum != want {
		sp.close()
		return nil, bad("checksum_mismatch", "the zip has SHA-256 %s, its checksum says %s", o.sum, want)
	}
	if err := o.list(l); err != nil {
		sp.close()
		return nil, err
	}
	return o, nil
}

// expected returns the SHA-256 that the checksums of a zip promise.
func expected(s sealedZip, key *seal.PublicKey) (ota.Digest, error) {
	if key == nil {
		d, err := ota.ParseDigest(s.checksum)
		if err != nil {
			return d, bad("checksum_invalid", "a plain zip needs a checksum of 64 lower-case hex digits, this one has %q", clip(s.checksum))
		}
		return d, nil
	}
	openHash := key.OpenHash
	if !isHex(s.checksum) {
		openHash = key.OpenHashV2
	}
	d, err := openHash(s.checksum)
	if err != nil || s.checksumV2 == "" {
		return d, err
	}
	v2, err := key.OpenHashV2(s.checksumV2)
	if err == nil && v2 != d {
		err = bad("checksum_mismatch", "the checksum for older plug-ins promises another zip")
	}
	return d, err
}

func (o *opened) fill(s sealedZip, key *seal.PublicKey) error {
	stored := sha256.New()
	src := io.TeeReader(s.body, stored)
	var err error
	if key == nil {
		o.size, err = io.Copy(o.spool, src)
	} else {
		session, sessionErr := key.OpenSession(s.sessionKey)
		if sessionErr != nil {
			return sessionErr
		}
		counted := &counter{r: src}
		_, err = session.Decrypt(o.spool, counted)
		o.size = counted.n
	}
	if err != nil {
		return err
	}
	if got := ota.Digest(stored.Sum(nil)); !s.blob.IsZero() && got != s.blob {
		return bad("blob_mismatch", "the stored bytes have SHA-256 %s, the server names them %s", got, s.blob)
	}
	o.sum, err = o.finish()
	return err
}

// list reads the zip's directory and applies the rules for its entries.
func (o *opened) list(l pack.Limits) error {
	var err error
	if o.files, err = pack.OpenZip(o.f, o.spool.size, l); err != nil {
		return err
	}
	for _, f := range o.files {
		if f.Name == "index.html" {
			return nil
		}
	}
	return bad("index_missing", "the zip has no index.html at its root")
}

// hashes returns the SHA-256 of every file in the zip.
func (o *opened) hashes() (map[string]ota.Digest, error) {
	sums := make(map[string]ota.Digest, len(o.files))
	for _, f := range o.files {
		if strings.HasSuffix(f.Name, "/") {
			continue
		}
		r, err := f.Open()
		if err != nil {
			return nil, bad("zip_invalid", "%s in the zip cannot be read: %s", f.Name, err)
		}
		h := sha256.New()
		_, err = io.Copy(h, r)
		if closeErr := r.Close(); err != nil || closeErr != nil {
			return nil, bad("zip_invalid", "%s in the zip cannot be read: %v", f.Name, errors.Join(err, closeErr))
		}
		sums[f.Name] = ota.Digest(h.Sum(nil))
	}
	return sums, nil
}

// counter counts what is read through it.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n += int64(n)
	return n, err
}

func isHex(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return !strings.ContainsRune("0123456789abcdefABCDEF", r) }) < 0
}

func clip(s string) string {
	if len(s) > 80 {
		return s[:80] + "…"
	}
	return s
}
