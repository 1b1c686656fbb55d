package sqlstore

import "github.com/waxwing-ota/waxwing/internal/plane/ingest"

const addCheck = `INSERT INTO check_counts (app, minute, channel, answer, code, version, n) VALUES ($1, $2, $3, $4, $5, $6, $7)
	ON CONFLICT (app, minute, channel, answer, code, version) DO UPDATE SET n = check_counts.n + excluded.n`

// check adds to a count of answered checks.
func (w *batch) check(c *ingest.CheckRow) error {
	_, err := w.exec(addCheck, c.App, c.Minute, c.Channel, c.Answer, c.Code, c.Version, c.N)
	return err
}
