// Package planfile reads rollout plans from files that people write, in YAML or
// JSON.
//
// It must never talk to the server, or read more than a small file.
package planfile

import (
	"bytes"
	"errors"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Max is the most bytes of a plan.
const Max = 64 << 10

// CodeUnreadable is the stable code for a file that is no plan.
const CodeUnreadable = "plan_unreadable"

// file is a plan as people write it, or as the API has it.
type file struct {
	Steps []struct {
		Percent *float64        `yaml:"percent"`
		BPS     int             `yaml:"percentage_bps"`
		Soak    string          `yaml:"soak"`
		Minutes int             `yaml:"soak_minutes"`
		Gate    ota.RolloutGate `yaml:"gate"`
	} `yaml:"steps"`
	Windows []struct {
		Days []string `yaml:"days"`
		From string   `yaml:"from"`
		To   string   `yaml:"to"`
		TZ   string   `yaml:"tz"`
	} `yaml:"windows"`
	Target     string `yaml:"target"`
	Mandatory  *bool  `yaml:"mandatory"`
	Deadline   string `yaml:"deadline"`
	DeadlineAt int64  `yaml:"deadline_at"`
	Promote    *bool  `yaml:"promote"`
}

func unreadable(format string, a ...any) *ota.Error {
	return ota.Invalid(CodeUnreadable, "the plan cannot be read: "+format, a...).WithHint("docs/rollouts.md shows one")
}

// Parse reads a plan. Whether it makes sense is for the server to say.
func Parse(raw []byte) (ota.RolloutPlan, error) {
	var p ota.RolloutPlan
	if len(raw) > Max {
		return p, unreadable("it has more than %d bytes", Max)
	}
	var f file
	d := yaml.NewDecoder(bytes.NewReader(raw))
	d.KnownFields(true)
	if err := d.Decode(&f); err != nil {
		if errors.Is(err, io.EOF) {
			return p, unreadable("it is empty")
		}
		return p, unreadable("%s", told(err))
	}
	if err := d.Decode(new(any)); !errors.Is(err, io.EOF) {
		return p, unreadable("it has more than one document")
	}
	for i, s := range f.Steps {
		step := ota.RolloutStep{BPS: s.BPS, SoakMinutes: s.Minutes, Gate: s.Gate}
		if s.Percent != nil {
			bps := *s.Percent * 100
			if step.BPS = int(math.Round(bps)); math.Abs(bps-math.Round(bps)) > 1e-6 || !(bps > 0 && bps <= 10_000) {
				return p, unreadable("step %d: %v is no percentage up to 100 with at most two decimals", i+1, *s.Percent)
			}
		}
		if s.Soak != "" {
			m, err := Minutes(s.Soak)
			if err != nil {
				return p, unreadable("step %d: %s", i+1, err)
			}
			step.SoakMinutes = m
		}
		p.Steps = append(p.Steps, step)
	}
	for _, w := range f.Windows {
		p.Windows = append(p.Windows, ota.RolloutWindow(w))
	}
	p.Target, p.DeadlineAt, p.Promote = f.Target, f.DeadlineAt, f.Promote
	if f.Deadline != "" {
		at, err := time.Parse(time.RFC3339, f.Deadline)
		if err != nil {
			return p, unreadable("deadline %q is no time such as 2026-12-24T18:00:00+01:00", f.Deadline)
		}
		p.DeadlineAt = at.UnixMilli()
	}
	p.Mandatory = p.DeadlineAt != 0
	if f.Mandatory != nil {
		p.Mandatory = *f.Mandatory
	}
	return p, nil
}

// told is what the YAML reader found, without the names of Go's types: they say
// nothing to who writes a plan.
func told(err error) string {
	var mismatch *yaml.TypeError
	if !errors.As(err, &mismatch) {
		return strings.TrimPrefix(err.Error(), "yaml: ")
	}
	var out []string
	for _, e := range mismatch.Errors {
		e, _, _ = strings.Cut(e, " into ")
		e, _, unknown := strings.Cut(e, " not found in type ")
		if unknown {
			e = strings.Replace(e, "field ", "there is no field ", 1)
		}
		out = append(out, e)
	}
	return strings.Join(out, "; ")
}

// Minutes reads a length such as 90m, 24h or 2d, or a number of minutes.
func Minutes(s string) (int, error) {
	if n, err := strconv.Atoi(s); err == nil && n >= 0 {
		return n, nil
	}
	if days, ok := strings.CutSuffix(s, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n >= 0 && n <= 1000 {
			return n * 24 * 60, nil
		}
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 || d%time.Minute != 0 {
		return 0, errors.New(strconv.Quote(s) + " is no length in minutes, such as 90m, 24h or 2d")
	}
	return int(d / time.Minute), nil
}
