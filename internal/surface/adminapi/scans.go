package adminapi

import (
	"context"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/scans"
)

// maxScanBody bounds a report that is sent: compressed, in base64.
const maxScanBody = 12 << 20

type scansInput struct {
	Request
	AppParams
	Version string `path:"version" doc:"version name"`
	PageParams
}

type scanVerdictInput struct {
	Request
	AppParams
	Version string `path:"version" doc:"version name"`
	Channel string `query:"channel" maxLength:"64" doc:"channel whose policy is asked; empty = that of the app"`
}

type scanInput struct {
	Request
	AppParams
	Version string `path:"version" doc:"version name"`
	ID      int64  `path:"id" minimum:"0" doc:"id of the report; 0 = the latest"`
	Format  string `query:"format" enum:"json,sarif,html,text" doc:"json is what was scanned, byte for byte; the others show what the policy and suppressions make of it"`
	Channel string `query:"channel" maxLength:"64" doc:"channel whose policy is asked; empty = that of the app"`
}

type trendInput struct {
	Request
	AppParams
	Limit int `query:"limit" minimum:"0" maximum:"200" doc:"bundles; 0 = 50"`
}

func (s *server) registerScans() {
	const tag = "scans"
	const one = "/apps/{app}/bundles/{version}/scans"
	register(s, route{
		id: "list-scans", method: http.MethodGet, path: one, action: "scan.list", tag: tag,
		summary: "List the reports of a bundle's scans, newest first",
	},
		func(c *call, in *scansInput, _ none) (list[ota.ScanReport], error) {
			return listOf(s.deps.Scans.Reports(c, in.App, in.Version, in.page()))
		})
	register(s, route{
		id: "upload-scan", method: http.MethodPost, path: one, action: "scan.upload", tag: tag, limit: maxScanBody,
		status: http.StatusCreated, also: http.StatusOK,
		summary: "Send the report of the machine that published a bundle; 200 = it was there",
	},
		func(c *call, in *bundleInput, body ota.ScanUpload) (ota.ScanReport, error) {
			r, created, err := s.deps.Scans.Upload(c, c.actor, in.App, in.Version, body)
			c.createdIf(created)
			return r, err
		})
	register(s, route{
		id: "rescan", method: http.MethodPost, path: one + "/rescan", action: "scan.rescan", tag: tag,
		summary: "Ask the server to scan a bundle again",
	},
		func(c *call, in *bundleInput, _ none) (ota.ScanJob, error) {
			return s.deps.Scans.Rescan(c, c.actor, in.App, in.Version)
		})
	register(s, route{
		id: "get-scan-verdict", method: http.MethodGet, path: "/apps/{app}/bundles/{version}/scan-verdict", action: "scan.get", tag: tag,
		summary: "Ask what a scan policy makes of a bundle",
	},
		func(c *call, in *scanVerdictInput, _ none) (ota.ScanVerdict, error) {
			return s.deps.Control.ScanVerdict(c, in.App, in.Version, in.Channel)
		})
	register(s, route{
		id: "get-scan-trend", method: http.MethodGet, path: "/apps/{app}/scan-trend", action: "scan.list", tag: tag,
		summary: "List what the scans of an app's latest bundles found, oldest first",
	},
		func(c *call, in *trendInput, _ none) (list[ota.ScanTrend], error) {
			items, err := s.deps.Scans.Trend(c, in.App, in.Limit)
			return listOf(items, "", err)
		})
	s.registerScanReport(tag, one)
}

// formats are the media types of reports.
func formats() map[string]string {
	return map[string]string{
		scans.FormatJSON: "application/json", scans.FormatSARIF: "application/sarif+json",
		scans.FormatHTML: "text/html; charset=utf-8", scans.FormatText: "text/plain; charset=utf-8",
	}
}

func (s *server) registerScanReport(tag, one string) {
	op := s.operation(route{
		id: "get-scan", method: http.MethodGet, path: one + "/{id}", action: "scan.get", tag: tag,
		summary: "Get a report of a bundle's scans",
	})
	content := map[string]*huma.MediaType{}
	for _, media := range formats() {
		kind, _, _ := strings.Cut(media, ";")
		content[kind] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString}}
	}
	op.Responses["200"] = &huma.Response{Description: "The report", Content: content}
	huma.Register(s.api, op, func(ctx context.Context, in *scanInput) (*huma.StreamResponse, error) {
		if in.Format == "" {
			in.Format = scans.FormatJSON
		}
		body, err := s.renderScan(ctx, in)
		if err != nil {
			return nil, s.problem(ctx, err)
		}
		return &huma.StreamResponse{Body: func(hc huma.Context) {
			hc.SetHeader("Content-Type", formats()[in.Format])
			// A page with names and texts of others: nothing in it runs or loads.
			hc.SetHeader("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox")
			hc.SetHeader("X-Content-Type-Options", "nosniff")
			hc.SetStatus(http.StatusOK)
			_, _ = hc.BodyWriter().Write(body)
		}}, nil
	})
}

func (s *server) renderScan(ctx context.Context, in *scanInput) ([]byte, error) {
	policy, err := s.deps.Control.ScanPolicy(ctx, in.App, in.Channel)
	if err != nil {
		return nil, err
	}
	st, err := s.deps.Scans.Report(ctx, in.App, in.Version, in.ID)
	if err != nil {
		return nil, err
	}
	return s.deps.Scans.Render(ctx, &st, policy, in.Format)
}
