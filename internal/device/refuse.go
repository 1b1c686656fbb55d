package device

import (
	"context"
	"errors"

	"github.com/waxwing-ota/waxwing/internal/core/lifecycle"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// The codes with which a download fails.
const (
	CodeSessionKey  = lifecycle.CodeSessionKey          // the app has a key and the answer no session key
	CodeNoChecksum  = lifecycle.CodeNoChecksum          // the answer has no checksum
	CodeChecksum    = lifecycle.CodeChecksum            // not the signed or stated content
	CodeKeyMissing  = lifecycle.CodeKeyMissing          // encrypted, and the app has no key
	CodeDecrypt     = lifecycle.CodeDecrypt             // made for another key, or damaged
	CodeUnzip       = lifecycle.CodeUnzip               // not a zip, or one with tricks
	CodeManifest    = "manifest_invalid"                // an entry that says too little
	CodePath        = "manifest_path_fail"              // a path that leaves the bundle, or comes twice
	CodeFileHash    = "download_manifest_checksum_fail" // a file is not the stated content
	CodeBrotli      = "download_manifest_brotli_fail"   // a file does not decompress
	CodeNoIndex     = lifecycle.CodeNoIndex             // nothing to show
	CodeTooLarge    = "bundle_too_large"                // more bytes or files than allowed
	CodeHTTP        = "download_fail"                   // the server has no such file
	CodeInterrupted = lifecycle.CodeInterrupted         // worth another try, which resumes
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

// failed reports why a download failed, in the words of the platform.
func (d *Device) failed(a *Answer, err error) {
	if errors.Is(err, context.Canceled) {
		return
	}
	for _, f := range lifecycle.OnDownloadFailed(d.cfg.Platform, ota.CodeOf(err), len(a.Manifest) > 0) {
		e := about(a.Version)
		switch f.About {
		case lifecycle.Running:
			e = event{}
		case lifecycle.Nothing:
			e = event{Absent: true}
		}
		d.report(f.Action, e)
	}
}
