package sealed

import "strconv"

// TrustPath is the target path of trust.json.
const TrustPath = "trust/trust.json"

// maxVersion is the highest version of metadata.
const maxVersion = 1<<32 - 1

// TargetPath is the path of a manifest in the app's TUF repository.
func TargetPath(class, app string, seq int64) string {
	return class + "/" + app + "/" + strconv.FormatInt(seq, 10) + ".manifest"
}
