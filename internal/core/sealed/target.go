package sealed

import (
	"strconv"

	"github.com/waxwing-ota/waxwing/internal/core/canon"
)

// TrustPath is the target path of trust.json.
const TrustPath = "trust/trust.json"

// maxVersion is the highest version of metadata.
const maxVersion = 1<<32 - 1

// TargetPath is the path of a manifest in the app's TUF repository.
func TargetPath(class, app string, seq int64) string {
	return class + "/" + app + "/" + strconv.FormatInt(seq, 10) + ".manifest"
}

// Custom is what the targets metadata says of a manifest besides its hash.
type Custom struct {
	App string `json:"app"`
	Seq int64  `json:"seq"`
}

// ParseCustom reads the custom of a manifest's target.
func ParseCustom(b []byte) (Custom, error) {
	var c Custom
	return c, canon.Decode(b, 1<<10, &c)
}

// Encode writes it.
func (c Custom) Encode() ([]byte, error) { return canon.Encode(c) }
