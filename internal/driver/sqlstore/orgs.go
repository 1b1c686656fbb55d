package sqlstore

import (
	"context"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/control"
)

func scanOrg(r scanner) (o ota.Org, err error) { return o, r.Scan(&o.ID, &o.Name, &o.CreatedAt) }

// Org implements [control.Reader].
func (s reads) Org(ctx context.Context, id string) (ota.Org, error) {
	return selectOne(ctx, s.q, ota.NotFound(control.CodeOrgNotFound, "there is no organisation %q", id).WithField("org"), scanOrg,
		`SELECT id, name, created_at FROM orgs WHERE id = $1`, id)
}
