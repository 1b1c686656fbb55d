package sealed

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/cobblestone"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/pack"
)

// MaxEpoch is the highest key epoch: grants write it in 32 bits.
const MaxEpoch = 1<<32 - 1

// treeDomain keeps tree hashes apart from hashes of anything else.
const treeDomain = "waxwing/tree/v1\n"

// TreeHash returns what a manifest's tree must be: SHA-256 over the domain and,
// for each file in the order given, which must be that of the paths' bytes, the
// path with its length as a varint before it, the size as 8 bytes big endian,
// and the 32 bytes of the hash.
func TreeHash(files []File) string {
	h := sha256.New()
	h.Write([]byte(treeDomain))
	var b []byte
	for i := range files {
		f := &files[i]
		b = binary.AppendUvarint(b[:0], uint64(len(f.Path)))
		b = append(b, f.Path...)
		b = binary.BigEndian.AppendUint64(b, uint64(f.Size)) //nolint:gosec // sizes are checked not to be negative
		sum, err := hex.DecodeString(f.SHA256)
		if err != nil || len(sum) != sha256.Size {
			return "" // the hash of no tree
		}
		h.Write(append(b, sum...))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// checkPaths wants paths that every device can store, in one place each.
func checkPaths(files []File) error {
	paths := make([]string, len(files))
	for i := range files {
		paths[i] = files[i].Path
	}
	if err := pack.CheckPaths(paths); err != nil {
		return ota.Invalid(CodePath, "a path of the manifest cannot be installed on every device").
			WithField("files").WithCause(err).WithHint("publish the bundle anew; such names are refused before they are signed")
	}
	return nil
}

func compare(a, b string) int { return strings.Compare(a, b) }

// StoredSize returns how many bytes a blob of size plain bytes has in the mode;
// -1 if there is none of that size.
func StoredSize(mode string, size int64) int64 {
	if mode == EncryptionNone {
		return size
	}
	n, err := cobblestone.EncSize(size)
	if err != nil {
		return -1
	}
	return n
}
