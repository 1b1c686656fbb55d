package sqlstore

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/control"
)

const nativeColumns = `app, platform, version, packages, config, print, created_at, created_by`

func scanNative(r scanner) (n ota.NativeBuild, err error) {
	var packages, config string
	var print []byte
	if err := r.Scan(&n.App, &n.Platform, &n.Version, &packages, &config, &print, &n.CreatedAt, &n.CreatedBy); err != nil {
		return n, err
	}
	n.Print = digestOf(print)
	if err := json.Unmarshal([]byte(packages), &n.Packages); err != nil {
		return n, fmt.Errorf("packages of native version %s: %w", n.Version, err)
	}
	if err := json.Unmarshal([]byte(config), &n.Config); err != nil {
		return n, fmt.Errorf("config of native version %s: %w", n.Version, err)
	}
	return n, nil
}

// NativeBuilds implements [control.Reader].
func (s reads) NativeBuilds(ctx context.Context, app string) ([]ota.NativeBuild, error) {
	return selectAll(ctx, s.q, scanNative, `SELECT `+nativeColumns+` FROM native_builds WHERE app = $1 ORDER BY seq DESC`, app)
}

// InsertNative implements [control.Tx].
func (t *txn) InsertNative(ctx context.Context, n ota.NativeBuild) error {
	packages, err := json.Marshal(n.Packages)
	if err != nil {
		return fmt.Errorf("encode packages: %w", err)
	}
	config, err := json.Marshal(n.Config)
	if err != nil {
		return fmt.Errorf("encode config: %w", err)
	}
	_, err = t.exec(ctx, `INSERT INTO native_builds (`+nativeColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		n.App, n.Platform, n.Version, string(packages), string(config), digestBytes(n.Print), n.CreatedAt, n.CreatedBy)
	return err
}

// DeleteNative implements [control.Tx].
func (t *txn) DeleteNative(ctx context.Context, app, platform, version string) error {
	_, err := t.exec(ctx, `DELETE FROM native_builds WHERE app = $1 AND platform = $2 AND version = $3`, app, platform, version)
	return err
}

// NativeDevices implements [control.Store].
func (s reads) NativeDevices(ctx context.Context, app, channel string, public bool, since int64) ([]control.NativeCount, error) {
	named := "d.default_channel = $3"
	if public {
		named = "(d.default_channel = $3 OR d.default_channel = '')"
	}
	return selectAll(ctx, s.q, func(r scanner) (c control.NativeCount, err error) {
		return c, r.Scan(&c.Platform, &c.Version, &c.Devices)
	}, `SELECT d.platform, d.version_build, count(*) FROM devices d`+deviceJoin+`
		WHERE d.app = $1 AND d.last_seen >= $2 AND (c.name = $3 OR c.name IS NULL AND `+named+`)
		GROUP BY d.platform, d.version_build`, app, since, channel)
}
