package device

import (
	"context"
	"errors"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// The codes with which a download fails.
const (
	CodeSessionKey  = "session_key_required"            // the app has a key and the answer no session key
	CodeNoChecksum  = "checksum_required"               // the answer has no checksum
	CodeChecksum    = "checksum_fail"                   // not the signed or stated content
	CodeKeyMissing  = "key_missing"                     // encrypted, and the app has no key
	CodeDecrypt     = "decrypt_fail"                    // made for another key, or damaged
	CodeUnzip       = "unzip_fail"                      // not a zip, or one with tricks
	CodeManifest    = "manifest_invalid"                // an entry that says too little
	CodePath        = "manifest_path_fail"              // a path that leaves the bundle, or comes twice
	CodeFileHash    = "download_manifest_checksum_fail" // a file is not the stated content
	CodeBrotli      = "download_manifest_brotli_fail"   // a file does not decompress
	CodeNoIndex     = "index_missing"                   // nothing to show
	CodeTooLarge    = "bundle_too_large"                // more bytes or files than allowed
	CodeHTTP        = "download_fail"                   // the server has no such file
	CodeInterrupted = "download_interrupted"            // worth another try, which resumes
	CodeRedirect    = "redirect_refused"                // sent to another scheme, or in circles
	CodeURL         = "url_invalid"                     // not an address to download from
	CodeEncoded     = "content_encoded"                 // the body is not the stored bytes
)

// refuse builds the error of a download that is wrong and stays wrong.
func refuse(code, format string, a ...any) *ota.Error { return ota.Invalid(code, format, a...) }

// interrupted builds the error of a download that may be tried again.
func interrupted(err error, format string, a ...any) *ota.Error {
	return ota.Errorf(ota.KindUnavailable, CodeInterrupted, format, a...).WithCause(err).
		WithHint("try again: what has arrived is kept for an hour")
}

// failed reports why a download failed, in the words of the platform. Android
// gives several reasons under the running version, others under none, and none
// at all while it will try a bundle again by itself.
func (d *Device) failed(a *Answer, err error) {
	code, target := ota.CodeOf(err), about(a.Version)
	if errors.Is(err, context.Canceled) {
		return
	}
	if code == CodeNoIndex {
		d.report("set_fail", target)
		return
	}
	if code == CodeKeyMissing {
		code = CodeChecksum // to the plugin that is all it looks like
	}
	if d.cfg.Platform == Android {
		d.failedOnAndroid(code, len(a.Manifest) > 0, target)
		return
	}
	switch code {
	case CodeSessionKey, CodeNoChecksum, CodeChecksum, CodeUnzip:
		d.report(code, target)
	}
	d.report("download_fail", target)
}

func (d *Device) failedOnAndroid(code string, files bool, target event) {
	switch {
	case code == CodeSessionKey || code == CodeNoChecksum:
		d.report(code, event{})
	case code == CodeInterrupted && !files:
	case code == CodeChecksum || code == CodeUnzip || code == CodeDecrypt && !files:
		if code != CodeDecrypt {
			d.report(code, event{})
		}
		d.report("download_fail", event{})
		d.report("finish_download_fail", target)
	default:
		d.report("download_fail", event{Absent: true})
	}
}
