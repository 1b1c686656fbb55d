package console

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/scan/rules"
)

// scanView is what the scans of a bundle found, as a channel's policy sees it.
type scanView struct {
	Version  string
	Channels []ota.Channel
	Channel  string // whose policy is asked; "" = that of the app
	Verdict  ota.ScanVerdict
	Reports  []ota.ScanReport
	Severity string // only these
	Rule     string // only of it
	Rules    []string
	Findings []findingRow
	Matching int // the filter, on this page or not
	From     int // the first of this page
	More     string
}

// findingRow is a finding with what its rule says.
type findingRow struct {
	ota.ScanFinding
	About rules.Rule
}

// findingsPerPage bounds the findings that a page lists.
const findingsPerPage = 50

func (c *Console) registerScan() {
	const one = "/apps/{app}/bundles/{version}"
	c.page(route{method: "GET", path: one + "/scan", action: "scan.get"}, c.showScan)
	c.page(route{method: "GET", path: one + "/scan/report", action: "scan.get"}, c.downloadScan)
	c.act(route{method: "POST", path: one + "/scan/rescan", action: "scan.rescan"}, c.rescan, c.showScan)
	c.act(route{method: "POST", path: one + "/scan/suppress", action: "suppression.request"}, c.suppress, c.showScan)
	c.page(route{method: "GET", path: one + "/sbom", action: "bundle.get"}, c.downloadSBOM)
	c.page(route{method: "GET", path: one + "/provenance", action: "bundle.get"}, c.downloadProvenance)
}

func (c *Console) showScan(r *request) (answer, error) {
	v := scanView{Version: r.PathValue("version"), Channel: r.query("channel"), Severity: r.query("severity"), Rule: r.query("rule")}
	var err error
	if v.Channels, err = r.api.Channels(r, r.app()); err != nil {
		return answer{}, err
	}
	if v.Verdict, err = r.api.ScanVerdict(r, r.app(), v.Version, v.Channel); err != nil {
		return answer{}, err
	}
	if v.Reports, _, err = r.api.Scans(r, r.app(), v.Version, ota.Page{Limit: 20}); err != nil {
		return answer{}, err
	}
	from, _ := strconv.Atoi(r.query("after")) // what is no number is the first page
	c.list(&v, max(0, from))
	return r.show("scan", "Scan of "+v.Version, v), nil
}

// list takes the findings of a page that the filter lets through.
func (c *Console) list(v *scanView, from int) {
	for i := range v.Verdict.Findings {
		f := &v.Verdict.Findings[i]
		about := c.rules.Rule(f.Rule)
		if about != nil && !slices.Contains(v.Rules, f.Rule) {
			v.Rules = append(v.Rules, f.Rule)
		}
		if v.Severity != "" && f.Severity != v.Severity || v.Rule != "" && f.Rule != v.Rule {
			continue
		}
		v.Matching++
		if v.Matching <= from || len(v.Findings) == findingsPerPage {
			continue
		}
		row := findingRow{ScanFinding: *f}
		if about != nil {
			row.About = *about
		}
		v.Findings = append(v.Findings, row)
	}
	slices.Sort(v.Rules)
	v.From = from
	if end := from + len(v.Findings); end < v.Matching {
		v.More = strconv.Itoa(end)
	}
}

// toScan leads back to the scan of a bundle, as it was looked at.
func (r *request) toScan(notice string) answer {
	a := r.done(notice, "apps", r.app(), "bundles", r.PathValue("version"), "scan")
	for _, name := range []string{"channel", "severity", "rule", "after"} {
		if s := r.query(name); s != "" {
			a.to += "&" + name + "=" + url.QueryEscape(s)
		}
	}
	return a
}

func (c *Console) rescan(r *request) (answer, error) {
	_, err := r.api.Rescan(r, r.app(), r.PathValue("version"))
	return r.toScan("rescan_asked"), err
}

// suppress asks that one finding does not count.
func (c *Console) suppress(r *request) (answer, error) {
	days, err := r.number("days")
	if err != nil {
		return answer{}, err
	}
	_, err = r.api.RequestSuppression(r, r.app(), ota.NewSuppression{Rule: r.text("of_rule"), Fingerprint: r.text("fingerprint"), Reason: r.text("reason"), Days: days})
	return r.toScan("suppression_requested"), err
}

// scanFormats are the forms of a report: media type and how the file's name ends.
var scanFormats = map[string][2]string{
	"json": {"application/json", "json"}, "sarif": {"application/sarif+json", "sarif"}, "html": {"text/html; charset=utf-8", "html"}, "text": {"text/plain; charset=utf-8", "txt"},
}

func (c *Console) downloadScan(r *request) (answer, error) {
	form, ok := scanFormats[r.query("format")]
	if !ok {
		return answer{}, ota.Invalid("format_unknown", "a report is written as json, sarif, html or text").WithField("format")
	}
	id, err := strconv.ParseInt(r.query("id"), 10, 64)
	if err != nil || id < 0 {
		id = 0 // the latest
	}
	body, err := r.api.Scan(r, r.app(), r.PathValue("version"), id, r.query("format"), r.query("channel"))
	return r.download(form[0], "scan", form[1], body), err
}

func (c *Console) downloadSBOM(r *request) (answer, error) {
	body, err := r.api.SBOM(r, r.app(), r.PathValue("version"))
	return r.download("application/vnd.cyclonedx+json", "sbom", "cdx.json", body), err
}

func (c *Console) downloadProvenance(r *request) (answer, error) {
	body, err := r.api.Provenance(r, r.app(), r.PathValue("version"))
	return r.download("application/vnd.dsse+json", "provenance", "dsse.json", body), err
}

// download answers with a document of a bundle as a file to save. What others
// wrote is in it: a browser that shows it all the same runs and loads nothing.
func (r *request) download(media, kind, ending string, body []byte) answer {
	name := strings.Map(func(c rune) rune {
		if c < '!' || c > '~' || strings.ContainsRune(`"\/;%`, c) {
			return '_'
		}
		return c
	}, r.app()+"-"+r.PathValue("version")+"-"+kind)
	return answer{raw: func(w http.ResponseWriter) error {
		w.Header().Set("Content-Type", media)
		w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", name+"."+ending))
		w.Header().Set("Content-Security-Policy", "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox")
		_, err := w.Write(body)
		return err
	}}
}

// packages counts what a bundle is made of; -1 = that is not known.
func (r *request) packages(b *ota.Bundle) int {
	if b.SBOM.IsZero() {
		return -1
	}
	raw, err := r.api.SBOM(r, b.App, b.Version)
	if err != nil {
		return -1
	}
	var doc struct {
		Components []struct{} `json:"components"`
	}
	if json.Unmarshal(raw, &doc) != nil {
		return -1
	}
	return len(doc.Components)
}
