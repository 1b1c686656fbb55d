package incident

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Facts is what a post-mortem is written from.
type Facts struct {
	Incident ota.Incident
	Blast    ota.Blast
	Samples  []ota.IncidentSample
	Timeline []ota.IncidentEntry
	Cut      bool  // the timeline is longer than it is here
	At       int64 // when it is written, Unix ms
}

// Report writes the post-mortem as Markdown: what is known is filled in, what
// people must think about is asked for. Texts of devices and people are escaped.
func Report(f Facts) string {
	var b strings.Builder
	i := &f.Incident
	fmt.Fprintf(&b, "# Post-mortem: %s\n\n", escape(i.Title))
	fmt.Fprintf(&b, "Incident %d of %s. Written on %s by the server; what stands in *italics* is for people to fill in.\n\n", i.ID, escape(i.App), stamp(f.At))
	summary(&b, i)
	impact(&b, &f)
	recovery(&b, &f)
	timeline(&b, &f)
	b.WriteString("## Root cause\n\n*What in the change, the build or the process let this happen?*\n\n")
	b.WriteString("## What went well, what did not\n\n*How was it noticed? What slowed containing and recovering down?*\n\n")
	b.WriteString("## Follow-ups\n\n| what | who | until |\n|---|---|---|\n| | | |\n")
	return b.String()
}

func summary(b *strings.Builder, i *ota.Incident) {
	b.WriteString("## Facts\n\n| | |\n|---|---|\n")
	fig := Figures(i)
	for _, r := range [][2]string{
		{"severity", string(i.Severity)},
		{"state", string(i.State)},
		{"commander", i.Commander},
		{"declared by", i.OpenedBy},
		{"declared from", i.Subject},
		{"channel", or(i.Channel, "every channel that served it")},
		{"version", or(i.Version, "none")},
		{"recovered to", or(i.RecoveredTo, "-")},
		{"released", stamp(i.ReleasedAt)},
		{"declared", stamp(i.OpenedAt)},
		{"contained", stamp(i.ContainedAt)},
		{"recovery began", stamp(i.RecoveringAt)},
		{"resolved", stamp(i.ResolvedAt)},
		{"closed", stamp(i.ClosedAt)},
		{"time to declare (from the release)", lasted(fig.ToDeclare)},
		{"time to contain (from the declaration)", lasted(fig.ToContain)},
		{"time to recover (from the declaration)", lasted(fig.ToRecover)},
	} {
		row(b, r[0], r[1])
	}
	b.WriteString("\n")
}

func impact(b *strings.Builder, f *Facts) {
	x := &f.Blast
	b.WriteString("## Impact\n\n*What did users see?*\n\n| devices | |\n|---|---:|\n")
	for _, r := range []struct {
		name string
		n    int64
	}{
		{"offered the version", x.Offered},
		{"downloaded it", x.Downloaded},
		{"installed it", x.Installed},
		{"healthy on it", x.Healthy},
		{"failed on it", x.Failed},
		{"left it", x.RolledBack},
		{"run it now", x.OnNow},
		{"run it now and were seen within a day", x.ActiveNow},
	} {
		row(b, r.name, fmt.Sprint(r.n))
	}
	b.WriteString("\n")
	if x.Approximate {
		b.WriteString("There are so many devices that not all were counted.\n\n")
	}
	if len(x.Platforms) > 0 {
		b.WriteString("| platform | run it now | failed | native versions |\n|---|---:|---:|---|\n")
		for _, p := range x.Platforms {
			natives := p.From
			if p.To != p.From {
				natives += " to " + p.To
			}
			row(b, p.Platform, fmt.Sprint(p.OnNow), fmt.Sprint(p.Failed), natives)
		}
		b.WriteString("\n")
	}
	if len(x.Reasons) > 0 {
		b.WriteString("| failed with | devices |\n|---|---:|\n")
		for _, r := range x.Reasons {
			row(b, r.Name, fmt.Sprint(r.Devices))
		}
		b.WriteString("\n")
	}
}

// maxCurve is how many lines the recovery gets in a report.
const maxCurve = 20

func recovery(b *strings.Builder, f *Facts) {
	i := &f.Incident
	if i.RecoveringAt == 0 {
		return
	}
	b.WriteString("## Recovery\n\n")
	fmt.Fprintf(b, "%d of %d affected active devices left the version (%s); %d were on it when the recovery began, or came onto it since.\n\n",
		i.Left, i.Affected, percent(Figures(i).ShareBPS), i.Baseline)
	samples := f.Samples
	for n := range samples {
		if samples[n].At >= i.RecoveringAt {
			samples = samples[n:]
			break
		}
	}
	if len(samples) == 0 {
		return
	}
	b.WriteString("| after | left | of | share |\n|---|---:|---:|---:|\n")
	step := max(1, (len(samples)+maxCurve-1)/maxCurve)
	for n, s := range samples {
		if n%step == 0 || n == len(samples)-1 {
			share := int64(10_000)
			if s.Affected > 0 {
				share = s.Left * 10_000 / s.Affected
			}
			row(b, lasted(max(0, s.At-i.RecoveringAt)), fmt.Sprint(s.Left), fmt.Sprint(s.Affected), percent(share))
		}
	}
	b.WriteString("\n")
}

func timeline(b *strings.Builder, f *Facts) {
	b.WriteString("## Timeline\n\nTimes are UTC. The numbers are entries of the audit log.\n\n| when | entry | who | what |\n|---|---|---|---|\n")
	for _, e := range f.Timeline {
		row(b, stamp(e.At), fmt.Sprint(e.Change), string(e.Actor), e.Text)
	}
	b.WriteString("\n")
	if f.Cut {
		b.WriteString("There are more entries than fit here; the audit log has them all.\n\n")
	}
}

// row writes a line of a table, escaped.
func row(b *strings.Builder, cells ...string) {
	b.WriteString("|")
	for _, c := range cells {
		b.WriteString(" " + escape(c) + " |")
	}
	b.WriteString("\n")
}

// maxCell bounds a text in a report, in runes.
const maxCell = 1000

// special are the characters that mean something in Markdown or HTML.
const special = "\\`*_{}[]()<>#+!|~&^$=\"'"

// escape makes a text harmless in Markdown: one line, no mark-up, no HTML, no
// links that are made by themselves, no characters that hide or reorder text.
func escape(s string) string {
	var b strings.Builder
	n := 0
	for _, r := range s {
		if n++; n > maxCell {
			b.WriteString("…")
			break
		}
		switch {
		case unicode.IsSpace(r):
			b.WriteByte(' ')
		case r == unicode.ReplacementChar || unicode.Is(unicode.C, r):
		case r == '<':
			b.WriteString("&lt;")
		case r == '>':
			b.WriteString("&gt;")
		case r == '&':
			b.WriteString("&amp;")
		case strings.ContainsRune(special, r):
			b.WriteByte('\\')
			b.WriteRune(r)
		default:
			b.WriteRune(r)
		}
	}
	out := b.String()
	for _, link := range []string{"://", "www."} { // renderers make links of these
		out = strings.ReplaceAll(out, link, link[:1]+"\u2060"+link[1:])
	}
	return out
}

func stamp(ms int64) string {
	if ms == 0 {
		return "-"
	}
	return time.UnixMilli(ms).UTC().Format("2006-01-02 15:04:05")
}

func lasted(ms int64) string {
	if ms < 0 {
		return "-"
	}
	d := time.Duration(ms) * time.Millisecond
	if d < 10*time.Second {
		return d.Round(10 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}

func percent(bps int64) string {
	if bps < 0 {
		return "-"
	}
	return fmt.Sprintf("%d.%02d %%", bps/100, bps%100)
}
