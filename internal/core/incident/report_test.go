package incident

import (
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func example() Facts {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).UnixMilli()
	minute := time.Minute.Milliseconds()
	return Facts{
		At: at + 60*minute,
		Incident: ota.Incident{
			ID: 4, App: "com.example.shop", Channel: "production", Version: "2.0.0", Title: "Checkout is white", Severity: ota.IncidentCritical,
			Commander: "user:ada@example.com", State: ota.IncidentResolved, OpenedBy: "user:ada@example.com", Subject: "release:production",
			ReleasedAt: at - 20*minute, OpenedAt: at, ContainedAt: at + 2*minute, RecoveringAt: at + 3*minute, ResolvedAt: at + 33*minute,
			RecoveredTo: "1.9.0", Baseline: 120, Affected: 100, Left: 96,
		},
		Blast: ota.Blast{
			OnNow: 24, Offered: 400, Downloaded: 200, Installed: 150, Failed: 30,
			Platforms: []ota.PlatformBlast{{Platform: "android", OnNow: 24, Failed: 30, From: "1.0.0", To: "1.2.0"}},
			Reasons:   []ota.Count{{Name: "update_fail", Devices: 30}},
		},
		Samples:  []ota.IncidentSample{{At: at + 3*minute, Affected: 100}, {At: at + 33*minute, Affected: 100, Left: 96}},
		Timeline: []ota.IncidentEntry{{Change: 77, At: at, Actor: "user:ada@example.com", Action: "incident.open", Text: "incident declared: Checkout is white"}},
	}
}

func TestReportSaysWhatIsKnown(t *testing.T) {
	got := Report(example())
	for _, want := range []string{
		"# Post-mortem: Checkout is white\n",
		"| time to declare \\(from the release\\) | 20m0s |",
		"| time to contain \\(from the declaration\\) | 2m0s |",
		"| time to recover \\(from the declaration\\) | 33m0s |",
		"| failed on it | 30 |",
		"| android | 24 | 30 | 1.0.0 to 1.2.0 |",
		"| update\\_fail | 30 |",
		"96 of 100 affected active devices left the version (96.00 %)",
		"| 30m0s | 96 | 100 | 96.00 % |",
		"| 2026-03-01 12:00:00 | 77 | user:ada@example.com | incident declared: Checkout is white |",
		"## Root cause", "## Follow-ups",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

// hostile are texts that devices and people may write.
var hostile = []string{
	"a|b\n| c |", "<script>alert(1)</script>", "[x](javascript:alert(1))", "![x](http://evil.example/a.png)", "https://evil.example", "www.evil.example",
	"`code`", "# head", "**bold**", "\u202eevil\u200b", "&lt;b&gt;", "\\", "```\nx\n```", "- [ ] x", "$$x$$", "~~~", "\x00\x1b[31m",
}

// TestReportEscapes: no text gets out of its cell, however it is written.
func TestReportEscapes(t *testing.T) {
	plain := strings.Count(Report(example()), "\n")
	for _, s := range hostile {
		f := example()
		f.Incident.Title, f.Incident.Commander = s, s
		f.Blast.Platforms[0].Platform, f.Blast.Platforms[0].From, f.Blast.Reasons[0].Name = s, s, s
		f.Timeline[0].Text, f.Timeline[0].Actor = s, ota.Actor(s)
		got := Report(f)
		if n := strings.Count(got, "\n"); n != plain {
			t.Errorf("%q makes %d lines of %d", s, n, plain)
		}
		for _, bad := range []string{"<script", "](", "://", "www.", "`", "**", "\u202e", "\u200b", "\x1b", "$$", "~~~"} {
			if strings.Contains(bare(got), bad) {
				t.Errorf("%q brings %q in", s, bad)
			}
		}
	}
}

// bare is a text without the characters that are escaped.
func bare(s string) string {
	var b strings.Builder
	escaped := false
	for _, r := range s {
		if !escaped && r != '\\' {
			b.WriteRune(r)
		} else {
			b.WriteByte('.')
		}
		escaped = !escaped && r == '\\'
	}
	return b.String()
}

func FuzzEscape(f *testing.F) {
	for _, s := range hostile {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := escape(s)
		if strings.ContainsAny(got, "\n\r<>") {
			t.Fatalf("%q became %q", s, got)
		}
		escaped := false
		for _, r := range got {
			if !escaped && r != '\\' && r != '&' && strings.ContainsRune(special, r) {
				t.Fatalf("%q has a bare %q in %q", s, r, got)
			}
			escaped = !escaped && r == '\\'
			if r != '\u2060' && unicode.Is(unicode.C, r) {
				t.Fatalf("%q keeps %U", s, r)
			}
		}
		if escaped {
			t.Fatalf("%q ends in a lone backslash: %q", s, got)
		}
	})
}

func TestEntries(t *testing.T) {
	i := ota.Incident{ID: 4, Channel: "production", Version: "2.0.0"}
	type want struct {
		text    string
		related bool
	}
	for _, c := range []struct {
		action, object, detail string
		want                   *want
	}{
		{"incident.open", "White", `{"incident":4}`, &want{"incident declared: White", false}},
		{"incident.note", "White", `{"incident":4,"text":"called support"}`, &want{"called support", false}},
		{"incident.note", "White", `{"incident":5,"text":"called support"}`, nil},
		{"channel.freeze", "production", `{"incident":4,"reason":"fire"}`, &want{"channel production frozen: fire", false}},
		{"channel.freeze", "beta", `{"reason":"fire"}`, nil},
		{"release.publish", "production", `{"version":"2.0.0","note":""}`, &want{"2.0.0 released on production", true}},
		{"release.rollback", "beta", `{"version":"1.0.0","from":"2.0.0"}`, &want{"beta rolled back from 2.0.0 to 1.0.0", true}},
		{"rollout.start", "production", `{"version":"2.0.0","percentage_bps":250}`, &want{"rollout of 2.0.0 on production: start at 2.50 %", true}},
		{"channel.halt", "production", `{"version":"2.0.0","reason":"7 of 9","did":"rolled back"}`, &want{"2.0.0 halted on production (rolled back): 7 of 9", true}},
		{"bundle.block", "2.0.0", `{"incident":4,"serving":["production"]}`, &want{"version 2.0.0 blocked for all devices", false}},
		{"bundle.create", "1.0.0", `{}`, nil},
		{"user.invite", "bob", `{}`, nil},
		{"alert.fire", "rate", `{"channel":"production","devices":"many"}`, &want{"alert.fire rate", true}},
		{"incident.resolve", "White", `{"incident":4,"devices":100,"left":96}`, &want{"resolved: 96 of 100 affected devices left the version", false}},
		{"release.publish", "production", `not json`, &want{" released on production", true}},
	} {
		e, ok := Entry(&i, &ota.Change{Action: c.action, Object: c.object, Detail: c.detail})
		var got *want
		if ok {
			got = &want{e.Text, e.Related}
		}
		if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(want{})); diff != "" {
			t.Errorf("%s %s: %s", c.action, c.detail, diff)
		}
	}
}
