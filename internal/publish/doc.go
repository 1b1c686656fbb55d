// Package publish turns a folder with a web build into a published bundle, and
// checks and opens what is published the way a device would.
//
// A push compresses, signs, encrypts and uploads only what the server lacks.
// It may be cut off at any moment and run again: what arrived is not sent
// twice, and a bundle exists only when all of it is there.
//
// It must never send a private key or anything derived from it but the sealed
// forms of package seal, believe a stored file that its own key did not sign,
// or leave a temporary file behind.
package publish

import (
	"context"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Server is the part of the admin API that publishing needs; client.Client is one.
type Server interface {
	App(ctx context.Context, id string) (ota.App, error)
	Keys(ctx context.Context, app string) ([]ota.Key, error)
	Channel(ctx context.Context, app, name string) (ota.Channel, error)
	Missing(ctx context.Context, app string, in ota.MissingQuery) (ota.MissingAnswer, error)
	blobs
	CreateBundle(ctx context.Context, app string, in ota.NewBundle) (b ota.Bundle, created bool, err error)
	Release(ctx context.Context, app, channel string, in ota.ReleaseRequest) (r ota.Release, done bool, err error)
	SetRollout(ctx context.Context, app, channel string, in ota.RolloutRequest) (ota.Rollout, error)
	Bundle(ctx context.Context, app, version string) (ota.Bundle, error)
	scans
	AddSourceMaps(ctx context.Context, app, version string, in ota.NewSourceMaps) error
	NativeBuilds(ctx context.Context, app, channel string) ([]ota.NativeBuild, error)
}

// Progress hears how far the work is, from several goroutines. Formats are
// those of package fmt.
type Progress interface {
	Phase(format string, a ...any)  // the next part of the work begins
	Update(format string, a ...any) // within the part
}

type silent struct{}

func (silent) Phase(string, ...any)  {}
func (silent) Update(string, ...any) {}

// Warning is something to know that does not stop the work. Code is stable.
type Warning struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}
