package lifecycle_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/waxwing-ota/waxwing/internal/core/lifecycle"
)

const builtin = 1

// phone is an installation without disk: bundles are numbers from 2 on.
type phone struct {
	rules lifecycle.Rules[int]
	at    lifecycle.Slots[int]
	state map[int]lifecycle.Status
	rot   map[int]bool // files were changed behind its back
	ready bool
	said  []string
	seen  map[int]bool // was ever confirmed
}

func (p *phone) Status(id int) lifecycle.Status { return p.state[id] }
func (p *phone) Intact(id int) bool             { return !p.rot[id] }

func (p *phone) take(s lifecycle.Step[int]) lifecycle.Step[int] {
	p.at = s.Slots
	if s.Mark != 0 {
		p.state[s.Mark] = s.Status
	}
	for _, r := range s.Reports() {
		p.said = append(p.said, r.Action)
	}
	if s.Drop != 0 {
		delete(p.state, s.Drop)
		delete(p.rot, s.Drop)
		p.said = append(p.said, lifecycle.ActionDelete)
	}
	return s
}

func newPhone(r lifecycle.Rules[int]) *phone {
	r.Builtin = builtin
	return &phone{rules: r, at: r.Fresh(), state: map[int]lifecycle.Status{}, rot: map[int]bool{}, seen: map[int]bool{}}
}

func TestBadReleaseGoesBack(t *testing.T) {
	p := newPhone(lifecycle.Rules[int]{})
	p.state[2] = lifecycle.Pending
	p.take(p.rules.Queue(p.at, p, 2))
	p.take(p.rules.Background(p.at, p))
	p.take(p.rules.Ready(p.at, p, true))
	p.state[3] = lifecycle.Pending
	p.take(p.rules.Queue(p.at, p, 3))
	p.take(p.rules.Background(p.at, p))
	p.said = nil
	s := p.take(p.rules.Timeout(p.at, p))
	if !s.RolledBack || p.at.Current != 2 || p.state[3] != lifecycle.Absent {
		t.Errorf("after the timeout it runs %d, step %+v", p.at.Current, s)
	}
	want := []string{"app_launch_timeout", "update_fail", "set", "delete"}
	if diff := cmp.Diff(want, p.said); diff != "" {
		t.Errorf("reports (-want +got):\n%s", diff)
	}
}

// Whatever happens in whatever order: only bundles that are there and did not
// fail run, what is fallen back to was confirmed, and a timeout never leaves an
// unconfirmed bundle running.
func TestMachine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := newPhone(lifecycle.Rules[int]{
			Electron: rapid.Bool().Draw(t, "electron"), KeepFailed: rapid.Bool().Draw(t, "keep failed"), KeepPrevious: rapid.Bool().Draw(t, "keep previous"),
		})
		n := builtin
		some := func(t *rapid.T) int { return rapid.IntRange(builtin, n).Draw(t, "bundle") }
		t.Repeat(map[string]func(*rapid.T){
			"download": func(t *rapid.T) { n++; p.state[n] = lifecycle.Pending },
			"queue": func(t *rapid.T) {
				id := some(t)
				s := p.take(p.rules.Queue(p.at, p, id))
				if want := id != builtin && !p.state[id].Usable(); s.Refused != want {
					t.Fatalf("refused %v, want %v", s.Refused, want)
				}
			},
			"start":      func(*rapid.T) { p.ready = false; p.take(p.rules.Start(p.at, p)) },
			"background": func(*rapid.T) { p.ready = !p.take(p.rules.Background(p.at, p)).Applied && p.ready },
			"ready": func(*rapid.T) {
				p.take(p.rules.Ready(p.at, p, !p.ready))
				p.ready, p.seen[p.at.Current] = true, true
			},
			"timeout": func(t *rapid.T) {
				p.take(p.rules.Timeout(p.at, p))
				if s := p.state[p.at.Current]; p.at.Current != builtin && s != lifecycle.Confirmed {
					t.Fatalf("runs %d in state %d after a timeout", p.at.Current, s)
				}
			},
			"drop": func(t *rapid.T) { p.take(p.rules.Drop(p.at, p, some(t))) },
			"rot": func(t *rapid.T) {
				if id := some(t); id != p.at.Current && p.state[id] != lifecycle.Absent {
					p.rot[id] = true
				}
			},
			"": func(t *rapid.T) {
				if id := p.at.Current; id != builtin && !p.state[id].Usable() {
					t.Fatalf("runs %d in state %d", id, p.state[id])
				}
				if id := p.at.Fallback; id != builtin && !p.seen[id] {
					t.Fatalf("falls back to %d, which was never confirmed", id)
				}
				if id := p.at.Next; id != 0 && id != builtin && p.state[id] == lifecycle.Absent {
					t.Fatalf("next is %d, which is not there", id)
				}
			},
		})
	})
}

func TestDownloadFailures(t *testing.T) {
	target, running, nothing := lifecycle.Target, lifecycle.Running, lifecycle.Nothing
	type list = []lifecycle.Failure
	for _, c := range []struct {
		platform, code string
		files          bool
		want           list
	}{
		{"android", lifecycle.CodeInterrupted, false, nil},
		{"android", lifecycle.CodeInterrupted, true, list{{"download_fail", nothing}}},
		{"android", lifecycle.CodeChecksum, false, list{{"checksum_fail", running}, {"download_fail", running}, {"finish_download_fail", target}}},
		{"android", lifecycle.CodeSessionKey, true, list{{"session_key_required", running}}},
		{"ios", lifecycle.CodeInterrupted, true, list{{"download_fail", target}}},
		{"ios", lifecycle.CodeKeyMissing, false, list{{"checksum_fail", target}, {"download_fail", target}}},
		{"ios", lifecycle.CodeNoIndex, false, list{{"set_fail", target}}},
	} {
		if diff := cmp.Diff(c.want, lifecycle.OnDownloadFailed(c.platform, c.code, c.files)); diff != "" {
			t.Errorf("%s %s files %v (-want +got):\n%s", c.platform, c.code, c.files, diff)
		}
	}
}
