package tuf

import (
	"crypto/sha256"
	"crypto/sha512"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// hashesHold says whether b has all the hashes; one of an algorithm that is not
// known does not hold. The strict reading has SHA-256 only.
func hashesHold(hashes map[string]string, b []byte) bool {
	for algorithm, want := range hashes {
		var got []byte
		switch algorithm {
		case "sha256":
			s := sha256.Sum256(b)
			got = s[:]
		case "sha512":
			s := sha512.Sum512(b)
			got = s[:]
		}
		if got == nil || string(hexBytes(want)) != string(got) {
			return false
		}
	}
	return true
}

// Holds refuses bytes that are not the target file.
func (f TargetFile) Holds(b []byte) error {
	return holdsTarget(f.Length, map[string]string{"sha256": f.SHA256}, b)
}

func holdsTarget(length int64, hashes map[string]string, b []byte) error {
	if int64(len(b)) != length {
		return ota.Invalid(CodeHash, "the target file has %d bytes, %d were signed", len(b), length)
	}
	if len(hashes) == 0 || !hashesHold(hashes, b) {
		return ota.Invalid(CodeHash, "the target file is not the one that was signed")
	}
	return nil
}
