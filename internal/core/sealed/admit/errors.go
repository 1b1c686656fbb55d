package admit

import (
	"errors"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Codes of why something is not admitted. What a document's own form, signature
// or metadata lacks has the codes of core/canon, core/sealed, core/tuf,
// core/tlogproof and core/cobblestone.
const (
	CodeBuild      = "admit_build_invalid"     // the native app was made without something
	CodeState      = "admit_state_invalid"     // what was kept is damaged or of another app
	CodeClock      = "admit_clock_stale"       // the clock is before what the device knows to have been
	CodeMissing    = "admit_documents_missing" // see Missing
	CodeTrust      = "admit_trust_refused"     // trust.json is older, another one, or of another app
	CodeRequest    = "admit_request_other"     // the director answered another request
	CodeDevice     = "admit_device_other"      // the director answered another device
	CodeExpired    = "admit_director_expired"  // the director's answer is not of this time
	CodeApp        = "admit_app_other"
	CodePlatform   = "admit_platform_other"
	CodeNative     = "admit_native_other" // the native app is outside the bundle's range
	CodeClass      = "admit_class_refused"
	CodeFloor      = "admit_seq_below_floor"
	CodeTarget     = "admit_target_refused"   // not what the targets metadata says
	CodeManifest   = "admit_manifest_refused" // not what the target says
	CodeEpoch      = "admit_epoch_refused"    // encrypted under a key that is no longer trusted
	CodeUnproven   = "admit_proof_missing"    // no proof that the manifest is in the log
	CodeBlob       = "admit_blob_refused"     // a blob or a file is not what the manifest says
	CodeFiles      = "admit_files_other"      // a file is missing or one too many
	CodeUnverified = "admit_not_verified"     // a Verified that Finish did not make
)

func fail(code, format string, a ...any) *ota.Error { return ota.Invalid(code, format, a...) }

// Need is a document that has to be fetched before a decision is possible.
type Need struct {
	// File is its name below the app's metadata or, with Target, targets.
	File   string
	Target bool
	Max    int64  // bytes to read at most
	SHA256 string // "" = it proves itself
}

// missing carries needs in an error.
type missing struct{ needs []Need }

func (m *missing) Error() string { return "documents are missing" }

func lacks(needs ...Need) error {
	return ota.Errorf(ota.KindUnavailable, CodeMissing, "the answer lacks %d documents", len(needs)).
		WithHint("fetch them from the server or a mirror and decide again").WithCause(&missing{needs})
}

// Missing returns what to fetch when err is about documents that are missing.
func Missing(err error) []Need {
	if m, ok := errors.AsType[*missing](err); ok {
		return m.needs
	}
	return nil
}
