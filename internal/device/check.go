package device

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Check asks for an update. channel, if not "", stands in for the device's own
// channel in this one request. Whatever the server or the network does is an
// Answer; the error is non-nil only if ctx ended or no update URL is set.
func (d *Device) Check(ctx context.Context, channel string) (Answer, error) {
	if d.cfg.UpdateURL == "" {
		return Answer{}, missingURL("update_url")
	}
	if a, on := d.silenced(); on {
		return a, nil
	}
	body := d.info()
	if channel != "" {
		body["defaultChannel"] = channel
	}
	if d.cfg.Platform == Electron && d.cfg.CustomID == "" {
		body["custom_id"] = nil
	}
	r, err := d.call(ctx, http.MethodPost, d.cfg.UpdateURL, body, maxAnswer)
	switch {
	case ctx.Err() != nil:
		return Answer{}, ctx.Err()
	case err != nil:
		return Answer{Kind: Failed, Code: transportCode(err), Message: clean(err.Error(), maxMessage)}, nil
	case d.cfg.Platform == Electron:
		return parseElectronAnswer(r.status, r.body, d.runningName()), nil
	case r.status == http.StatusTooManyRequests:
		return d.limited(ctx, r.header, r.body), nil
	}
	return parseAnswer(r.status, r.body, d.runningName()), nil
}

// DownloadSize is the server's estimate of what an update would transfer.
type DownloadSize struct {
	TotalSize    int64 `json:"totalSize"`
	KnownFiles   int   `json:"knownFiles"`
	UnknownFiles int   `json:"unknownFiles"`
}

// Size asks how many bytes the files of a, a manifest update, that are not on
// the device yet would take. It is KindUnavailable if the server does not say.
func (d *Device) Size(ctx context.Context, a Answer) (DownloadSize, error) {
	var s DownloadSize
	u, err := url.Parse(d.cfg.UpdateURL)
	if err != nil || d.cfg.UpdateURL == "" {
		return s, missingURL("update_url")
	}
	plan, err := d.plan(ctx, &a)
	if err != nil {
		return s, err
	}
	missing := []Entry{}
	for _, f := range plan {
		if d.local(f) == "" {
			missing = append(missing, f.Entry)
		}
	}
	u.RawQuery, u.Path = "", strings.TrimSuffix(u.Path, "/")+"/manifest_size"
	r, err := d.call(ctx, http.MethodPost, u.String(), d.infoWith(map[string]any{"version": a.Version, "manifest": missing}), maxAnswer)
	if err != nil {
		return s, unreachable(err)
	}
	if r.status/100 != 2 || json.Unmarshal(r.body, &s) != nil {
		return s, ota.Errorf(ota.KindUnavailable, CodeResponse, "the server gave no size (status %d)", r.status)
	}
	return s, nil
}

func missingURL(field string) error {
	return ota.Invalid("missing_config", "the device has no %s", strings.ReplaceAll(field, "_", " ")).WithField(field)
}
