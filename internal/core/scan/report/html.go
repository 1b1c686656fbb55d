package report

import (
	"html/template"
	"io"

	"github.com/waxwing-ota/waxwing/internal/core/scan"
)

// page is the one template: no script, nothing loaded, everything escaped.
const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>Bundle scan{{with .Meta.Target}}: {{.}}{{end}}</title>
<style>
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif }
body { max-width: 70rem; margin: 2rem auto; padding: 0 1rem }
code, pre { font: 13px/1.4 ui-monospace, monospace; overflow-wrap: anywhere; white-space: pre-wrap }
details { border: 1px solid #8886; border-radius: 6px; padding: .5rem 1rem; margin: .5rem 0 }
summary { cursor: pointer }
.block { color: #c62828 } .warn { color: #b26a00 } .info { color: #1565c0 }
.tag { font-weight: 600; text-transform: uppercase; font-size: .8rem }
li { margin: .4rem 0 } dt { font-weight: 600 } dd { margin: 0 0 .4rem 0 }
</style>
</head>
<body>
<h1>Bundle scan</h1>
<p>{{with .Meta.Target}}<code>{{.}}</code>, {{end}}{{len .Report.Files}} files, {{.Report.Bytes}} bytes{{with .Meta.Time}}, {{.}}{{end}}{{with .Meta.Version}}, waxwing {{.}}{{end}}</p>
<p><span class="block tag">{{.Counts.Block}} block</span> · <span class="warn tag">{{.Counts.Warn}} warn</span> · <span class="info tag">{{.Counts.Info}} info</span>{{if .Report.Compared}} · {{.Report.Gone}} gone since the baseline{{end}}</p>
<p>The report names risks. It is not legal advice, and an empty one is no proof.</p>
{{range .Groups}}
<details{{if eq .Severity "block"}} open{{end}}>
<summary><span class="{{.Severity}} tag">{{.Severity}}</span> {{.Rule.ID}} {{.Rule.Title}} ({{len .Findings}})</summary>
<dl>
<dt>Why</dt><dd>{{.Rule.Why}}</dd>
<dt>Fix</dt><dd>{{.Rule.Fix}}</dd>
<dt>Reference</dt><dd><a rel="noopener noreferrer" href="{{.Rule.Help}}">{{.Rule.Reference}}</a></dd>
</dl>
<ul>
{{range .Findings}}<li><span class="{{.Severity}} tag">{{.Severity}}</span> <code>{{place .}}</code> {{.Message}}{{with .State}} ({{.}}){{end}}{{with .Suppression}} (suppressed by {{.By}}: {{.Justification}}){{end}}{{with .Snippet}}<pre>{{.}}</pre>{{end}}</li>
{{end}}</ul>
</details>
{{else}}<p>Nothing was found.</p>
{{end}}
</body>
</html>
`

// HTML writes the report as one page that needs nothing else.
func HTML(w io.Writer, r *scan.Report, m Meta) error {
	t, err := template.New("scan").Funcs(template.FuncMap{"place": func(f scan.Finding) string { return safe(place(&f)) }}).Parse(page)
	if err != nil {
		return err
	}
	return t.Execute(w, struct {
		Meta   Meta
		Report *scan.Report
		Counts Counts
		Groups []group
	}{m, r, CountsOf(r), groups(r)})
}
