package sqlstore

import "github.com/waxwing-ota/waxwing/internal/plane/ingest"

const addCheck = `INSERT INTO check_counts (app, minute, channel, answer, code, version, n) VALUES ($1, $2, $3, $4, $5, $6, $7)
	ON CONFLICT (app, minute, channel, answer, code, version) DO UPDATE SET n = check_counts.n + excluded.n`

// addQuarter counts for the whole app: charts show no more.
const addQuarter = `INSERT INTO check_quarters (app, quarter, answer, n) VALUES ($1, $2, $3, $4)
	ON CONFLICT (app, quarter, answer) DO UPDATE SET n = check_quarters.n + excluded.n`

// quarterMillis is a quarter of an hour.
const quarterMillis = 900_000

// checks adds to the counts of answered checks, by minute and by quarter of an hour.
func (w *batch) checks(rows []ingest.CheckRow) error {
	type appQuarter struct {
		app     string
		quarter int64
		answer  string
	}
	quarters := map[appQuarter]int64{}
	for i := range rows {
		c := &rows[i]
		if _, err := w.exec(addCheck, c.App, c.Minute, c.Channel, c.Answer, c.Code, c.Version, c.N); err != nil {
			return err
		}
		quarters[appQuarter{c.App, c.Minute - c.Minute%quarterMillis, c.Answer}] += c.N
	}
	for k, n := range quarters {
		if _, err := w.exec(addQuarter, k.app, k.quarter, k.answer, n); err != nil {
			return err
		}
	}
	return nil
}
