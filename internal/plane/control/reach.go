package control

import (
	"context"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// AppsIn lists the apps of which at least a part is within reach, newest first.
func (s *Service) AppsIn(ctx context.Context, in ota.Reach, p ota.Page) ([]ota.App, string, error) {
	return s.store.AppsIn(ctx, in, p)
}
