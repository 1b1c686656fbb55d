package device

import (
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func TestQueueSurvives(t *testing.T) {
	for name, status := range map[string]int{"500": 500, "503": 503, "408": 408, "429": 429} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, nil)
			r.srv.statsStatus, r.srv.header = status, nil
			r.report("app_crash", event{Meta: map[string]string{"exit_reason": "x"}})
			if err := r.Flush(t.Context()); ota.KindOf(err) != ota.KindUnavailable {
				t.Errorf("err = %v", err)
			}
			r.restart()
			if r.Queued() != 1 {
				t.Fatalf("%d queued after a restart", r.Queued())
			}
			r.srv.statsStatus = 200
			if err := r.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			r.restart()
			if got := r.srv.actions(); r.Queued() != 0 || got[len(got)-1] != "app_crash 1.0.0" {
				t.Errorf("queued %d, delivered %v", r.Queued(), got)
			}
		})
	}
}

func TestRefusedReportsAreDropped(t *testing.T) {
	r := newRig(t, nil)
	r.srv.statsStatus = 400
	r.report("app_crash", event{})
	if err := r.Flush(t.Context()); ota.CodeOf(err) != "stats_refused" || r.Queued() != 0 {
		t.Errorf("err = %v, queued %d", err, r.Queued())
	}
}

func TestQueueIsBounded(t *testing.T) {
	r := newRig(t, nil)
	for i := range maxQueue + 50 {
		r.report("app_crash", about(strconv.Itoa(i)))
	}
	if err := r.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := r.srv.actions()
	if len(got) != maxQueue || got[0] != "app_crash 50" {
		t.Errorf("%d delivered, first %s", len(got), got[0])
	}
	if diff := cmp.Diff([]string{"[200]"}, r.srv.posts); diff != "" {
		t.Errorf("posts (-want +got):\n%s", diff)
	}
}

func TestReportsOfAnUpdate(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*Config)
		posts  []string
		want   []string
	}{
		"android": {nil, []string{"{}", "{}", "[9]"}, []string{
			"download_zip_start 2.0.0", "download_zip_complete 2.0.0", // by the worker, at once
			"native 1.0.0",
			"download_complete 2.0.0", "set_next 2.0.0", "app_launch_start 1.0.0", "app_moved_to_foreground 1.0.0",
			"app_moved_to_background 1.0.0", "set 2.0.0", "app_launch_ready 2.0.0",
		}},
		"ios": {onIOS, []string{"[9]"}, []string{
			"download_zip_start 2.0.0", "download_zip_complete 2.0.0",
			"download_complete 2.0.0", "set_next 2.0.0", "app_launch_start 1.0.0", "app_moved_to_foreground 1.0.0",
			"app_moved_to_background 1.0.0", "set 2.0.0", "app_launch_ready 2.0.0",
		}},
		"old plugin": {func(c *Config) { c.PluginVersion = "7.20.0" }, nil, []string{
			"download_zip_start 2.0.0", "download_zip_complete 2.0.0",
			"download_complete 2.0.0", "set_next 2.0.0", "app_launch_start builtin", "app_moved_to_foreground builtin",
			"app_moved_to_background builtin", "set 2.0.0", "app_launch_ready 2.0.0",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, tt.change)
			r.offer("2.0.0")
			must(r.update())
			r.launch(true)
			want := tt.want
			if name == "android" {
				want = append(want[:2:2], want[3:]...)
				tt.posts[2] = "[7]"
			}
			if diff := cmp.Diff(want, r.srv.actions()); diff != "" {
				t.Errorf("reports (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.posts, r.srv.posts); diff != "" && tt.posts != nil {
				t.Errorf("posts (-want +got):\n%s", diff)
			}
			for _, e := range r.srv.events {
				_, stamped := e["timestamp"]
				if worker := name == "android" && e["action"] == "download_zip_start"; name == "old plugin" && stamped || worker && (stamped || e["key_id"] != nil) {
					t.Errorf("event %v", e)
				}
			}
		})
	}
}

// The names under which Android and iOS report a failure differ, and a server
// has to cope with all of them.
func TestReportsOfAFailure(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*Config)
		answer func(*server) map[string]any
		want   []string
	}{
		"android checksum":    {nil, plainZip(set("checksum", ota.Sum(nil).String())), []string{"download_zip_start 2.0.0", "checksum_fail 1.0.0", "download_fail 1.0.0", "finish_download_fail 2.0.0"}},
		"ios checksum":        {onIOS, plainZip(set("checksum", ota.Sum(nil).String())), []string{"download_zip_start 2.0.0", "checksum_fail 2.0.0", "download_fail 2.0.0"}},
		"android 404":         {nil, plainZip(func(s *server, a map[string]any) { stored(s, a).status = 404 }), []string{"download_zip_start 2.0.0", "download_fail -"}},
		"android 500":         {nil, plainZip(func(s *server, a map[string]any) { stored(s, a).status = 500 }), []string{"download_zip_start 2.0.0"}},
		"ios 500":             {onIOS, plainZip(func(s *server, a map[string]any) { stored(s, a).status = 500 }), []string{"download_zip_start 2.0.0", "download_fail 2.0.0"}},
		"android session key": {keyed, plainZip(asIs), []string{"session_key_required 1.0.0"}},
		"ios session key":     {both(keyed, onIOS), plainZip(asIs), []string{"session_key_required 2.0.0", "download_fail 2.0.0"}},
		"android manifest path": {
			nil, plainFiles(func(_ *server, a map[string]any) { entry(a, "assets/style.css")["file_name"] = "../x" }),
			[]string{"manifest_path_fail 2.0.0:../x", "download_fail -"},
		},
		"android no index": {nil, plainFiles(func(_ *server, a map[string]any) { entry(a, "index.html")["file_name"] = "x" }), []string{"set_fail 2.0.0"}},
		"android file 404": {nil, func(s *server) map[string]any {
			a := s.manifestAnswer("2.0.0", map[string][]byte{"index.html": []byte("x")}, nil)
			fileBlob(s, a, "index.html").status = 404
			return a
		}, []string{"download_manifest_start 2.0.0", "download_manifest_file_fail 2.0.0:index.html", "download_fail -"}},
		"failed check":      {nil, func(*server) map[string]any { return map[string]any{"error": "x"} }, []string{"download_fail 1.0.0"}},
		"failed check, old": {func(c *Config) { c.PluginVersion = "7.20.0" }, func(*server) map[string]any { return map[string]any{"error": "x"} }, nil},
		"electron checksum": {func(c *Config) { c.Platform = Electron }, plainZip(set("checksum", ota.Sum(nil).String())), []string{"download_fail 2.0.0"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, tt.change)
			r.srv.answer = tt.answer(r.srv)
			if _, err := r.update(); err == nil {
				t.Fatal("it succeeded")
			}
			if err := r.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, r.srv.actions()); diff != "" {
				t.Errorf("reports (-want +got):\n%s", diff)
			}
		})
	}
}

func TestIOSSendsAgainAfterAnEmptyAnswer(t *testing.T) {
	r := newRig(t, onIOS)
	r.srv.statsBody = ""
	r.report("app_crash", event{})
	if err := r.Flush(t.Context()); ota.KindOf(err) != ota.KindUnavailable || r.Queued() != 1 {
		t.Errorf("err = %v, queued %d", err, r.Queued())
	}
	r.srv.statsStatus = 204
	if err := r.Flush(t.Context()); err != nil || r.Queued() != 0 {
		t.Errorf("after 204: %v, queued %d", err, r.Queued())
	}
}
