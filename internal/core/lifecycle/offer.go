package lifecycle

// Offered is what a device does about a version that a server offers.
type Offered uint8

// What it may do.
const (
	Fetch  Offered = iota // download it
	Reuse                 // it is on the device: queue it
	Refuse                // it failed here, and that is remembered: report download_fail
)

// OnOffer says what to do about an offered version that is in the state on this
// device. A failed version is refused only if its record was kept, which is the
// whole memory that the plugin has.
func OnOffer(s Status) Offered {
	switch s {
	case Absent:
		return Fetch
	case Broken:
		return Refuse
	default:
		return Reuse
	}
}

// The platforms whose plugins differ here.
const (
	android = "android"
	ios     = "ios"
)

// The codes with which a download fails that its reports depend on.
const (
	CodeSessionKey  = "session_key_required" // the app has a key and the answer no session key
	CodeNoChecksum  = "checksum_required"    // the answer has no checksum
	CodeChecksum    = "checksum_fail"        // not the signed or stated content
	CodeKeyMissing  = "key_missing"          // encrypted, and the app has no key
	CodeDecrypt     = "decrypt_fail"         // made for another key, or damaged
	CodeUnzip       = "unzip_fail"           // not a zip, or one with tricks
	CodeNoIndex     = "index_missing"        // nothing to show
	CodeInterrupted = "download_interrupted" // worth another try, which resumes
)

// ActionDownloadFail is reported of most downloads that fail.
const ActionDownloadFail = "download_fail"

// About says which version the report of a failed download names.
type About uint8

// What it may name.
const (
	Target  About = iota // the version that was to come
	Running              // the one that runs
	Nothing              // none, as Android does when a download worker gave up
)

// Failure is one report of a failed download.
type Failure struct {
	Action string
	About  About
}

// OnDownloadFailed lists what is reported of a download that failed with code,
// in the words of the platform; files says that it came as single files. Android
// gives several reasons under the running version, others under none, and none
// at all while it will try a bundle again by itself.
func OnDownloadFailed(platform, code string, files bool) []Failure {
	if code == CodeNoIndex {
		return []Failure{{ActionSetFail, Target}}
	}
	if code == CodeKeyMissing {
		code = CodeChecksum // to the plugin that is all it looks like
	}
	if platform == android {
		return onAndroid(code, files)
	}
	var list []Failure
	switch code {
	case CodeSessionKey, CodeNoChecksum, CodeChecksum, CodeUnzip:
		list = append(list, Failure{code, Target})
	}
	return append(list, Failure{ActionDownloadFail, Target})
}

func onAndroid(code string, files bool) []Failure {
	switch {
	case code == CodeSessionKey || code == CodeNoChecksum:
		return []Failure{{code, Running}}
	case TriesAgain(android, code, files):
		return nil
	case code == CodeChecksum || code == CodeUnzip || code == CodeDecrypt && !files:
		var list []Failure
		if code != CodeDecrypt {
			list = append(list, Failure{code, Running})
		}
		return append(list, Failure{ActionDownloadFail, Running}, Failure{"finish_download_fail", Target})
	}
	return []Failure{{ActionDownloadFail, Nothing}}
}

// TriesAgain reports whether the platform goes on with such a download by
// itself: Android's worker does with whole bundles.
func TriesAgain(platform, code string, files bool) bool {
	return platform == android && code == CodeInterrupted && !files
}

// Remembers reports whether the platform refuses a version from then on because
// its download failed: the plugin on iOS does after a download of single files,
// until the bundle is deleted or the native app changes.
func Remembers(platform string, files bool) bool {
	return platform == ios && files
}
