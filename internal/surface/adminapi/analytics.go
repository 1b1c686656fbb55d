package adminapi

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

type analyticsInput struct {
	Request
	AppParams
	Name    string `path:"name" enum:"active,adoption,bandwidth,distribution,engagement,launch,success"`
	From    int64  `query:"from" minimum:"0" doc:"Unix ms; 0 = a range that fits"`
	To      int64  `query:"to" minimum:"0" doc:"Unix ms; 0 = now"`
	Step    string `query:"step" enum:"minute,hour,day" doc:"length of a step; empty = what fits the range"`
	Version string `query:"version" maxLength:"100" doc:"only of this version; empty = all"`
	Format  string `query:"format" enum:"json,csv" doc:"csv = one row per number; empty = json"`
}

const csvType = "text/csv"

// registerAnalytics adds the one operation whose answer is a table as well as a
// document.
func (s *server) registerAnalytics() {
	op := s.operation(route{
		id: "get-analytics", method: http.MethodGet, path: "/apps/{app}/analytics/{name}", action: "app.get", tag: "insight",
		summary: "Get numbers of an app over time, from sums that are kept as reports come",
	})
	op.Responses["200"] = &huma.Response{Description: "Facts and series; times are of arrival here, days are UTC's.", Content: map[string]*huma.MediaType{
		"application/json": {Schema: schemaOf[ota.Analytics](s.api, "Analytics")},
		csvType:            {Schema: &huma.Schema{Type: huma.TypeString}},
	}}
	huma.Register(s.api, op, func(ctx context.Context, in *analyticsInput) (*huma.StreamResponse, error) {
		out, err := s.deps.Insight.Analytics(ctx, in.App, ota.AnalyticsQuery{
			Name: in.Name, From: in.From, To: in.To, Step: in.Step, Version: in.Version,
		})
		if err != nil {
			return nil, s.problem(ctx, err)
		}
		return &huma.StreamResponse{Body: func(hc huma.Context) {
			_, w := humago.Unwrap(hc)
			// A write that fails has lost its reader; there is nobody to tell.
			if in.Format == "csv" {
				w.Header().Set("Content-Type", csvType+"; charset=utf-8")
				w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", in.App+"-"+in.Name+".csv"))
				_ = writeCSV(csv.NewWriter(w), &out)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(out)
		}}, nil
	})
}

// writeCSV writes facts and series as rows of one form.
func writeCSV(w *csv.Writer, a *ota.Analytics) error {
	rows := [][]string{{"kind", "name", "label", "unit", "at", "value"}}
	for _, f := range a.Facts {
		rows = append(rows, []string{"fact", f.Name, safeCell(f.Label), f.Unit, "", number(f.Value)})
	}
	for _, s := range a.Series {
		for _, p := range s.Points {
			rows = append(rows, []string{"point", s.Name, safeCell(s.Label), s.Unit, time.UnixMilli(p.At).UTC().Format(time.RFC3339), number(p.Value)})
		}
	}
	return w.WriteAll(rows)
}

func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// safeCell makes what a device claims harmless to spreadsheets, which run cells
// that begin like a formula.
func safeCell(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, s)
	if s != "" && strings.ContainsRune("=+-@|%\uFF1D\uFF0B\uFF0D\uFF20", []rune(s)[0]) {
		return "'" + s
	}
	return s
}
