package approve

import "github.com/waxwing-ota/waxwing/internal/core/ota"

// maxFound bounds the findings that a document tells; Digest covers all.
const maxFound = 50

// Scan is what a bundle's scans found that somebody must approve.
type Scan struct {
	Reports  []ota.Digest `json:"reports"`
	Total    int          `json:"total"`
	Digest   ota.Digest   `json:"digest"` // of all of them
	Findings []Found      `json:"findings"`
}

// Found is one finding.
type Found struct {
	Rule     string `json:"rule"`
	Severity string `json:"severity"`
	Path     string `json:"path"`
	Line     int    `json:"line"`
	Message  string `json:"message"`
}

// ScanOf describes the findings of a verdict that need approval; nil if none does.
func ScanOf(v *ota.ScanVerdict) (*Scan, error) {
	s := &Scan{Reports: []ota.Digest{}, Findings: []Found{}}
	var all []string
	for i := range v.Findings {
		f := &v.Findings[i]
		if f.Action != ota.ScanApprove {
			continue
		}
		all = append(all, f.Rule+" "+f.Severity+" "+f.Fingerprint)
		if len(s.Findings) < maxFound {
			s.Findings = append(s.Findings, Found{f.Rule, f.Severity, f.Path, f.Line, f.Message})
		}
	}
	if len(all) == 0 {
		return nil, nil
	}
	for i := range v.Reports {
		s.Reports = append(s.Reports, v.Reports[i].Digest)
	}
	raw, err := canonical(all)
	s.Total, s.Digest = len(all), ota.Sum(raw)
	return s, err
}
