package guards_test

import (
	"database/sql"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/guard"
)

// tamper changes the stored history behind the server's back.
func (w *world) tamper(query string) {
	w.t.Helper()
	db, err := sql.Open("sqlite", w.path)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	res, err := db.Exec(query)
	if err != nil {
		w.t.Fatal(err)
	}
	if n, _ := res.RowsAffected(); n == 0 {
		w.t.Fatalf("%s changed nothing", query)
	}
}

// What somebody changes in the database is seen by a replay: at once, after a
// restart, and after the history went on.
func TestTamperingIsSeen(t *testing.T) {
	for name, query := range map[string]string{
		"the last input is gone": `DELETE FROM guard_inputs WHERE seq = (SELECT max(seq) FROM guard_inputs)`,
		"the last ones are gone": `DELETE FROM guard_inputs WHERE seq > 6`,
		"all inputs are gone":    `DELETE FROM guard_inputs WHERE seq > 1`,
		"another device":         `UPDATE guard_inputs SET input = replace(input, '"device":', '"device":1') WHERE seq = 5`,
		"one more":               `INSERT INTO guard_inputs SELECT app, rollout, seq+1, at, '{"kind":"tick","at":1}', result FROM guard_inputs ORDER BY seq DESC LIMIT 1`,
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.expose(1000)
			w.failOn(0, 5)
			w.End(t.Context())
			if x := w.export(); len(x.Rows) < 8 || differences(t, w) != 0 {
				t.Fatalf("before: %d inputs, %d differences", len(x.Rows), differences(t, w))
			}
			w.tamper(query)
			if differences(t, w) == 0 {
				t.Error("not seen at once")
			}
			w.restart()
			if differences(t, w) == 0 {
				t.Error("not seen after a restart")
			}
			w.failOn(5, 7)
			w.End(t.Context())
			if differences(t, w) == 0 {
				t.Error("not seen once the history went on")
			}
			w.restart()
			w.failOn(7, 9)
			w.End(t.Context())
			if differences(t, w) == 0 {
				t.Error("not seen once it went on after another restart")
			}
		})
	}
}

func differences(t *testing.T, w *world) int {
	t.Helper()
	x := w.export()
	_, diffs, err := guard.Replay(&x)
	if err != nil {
		t.Fatal(err)
	}
	return len(diffs)
}
