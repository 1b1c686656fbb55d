package rollup

// Field is one sum of [Counts]. The order is that of the table's columns.
type Field int

// The fields. Each counts reports unless it says otherwise.
const (
	Opens          Field = iota // app_moved_to_foreground
	Sessions                    // runs of use without a pause longer than SessionGap
	ForegroundMS                // ms between a foreground event and the background event right after it
	Starts                      // app_launch_start
	Launches                    // app_launch_ready
	LaunchMS                    // ms of those launches that say how long they took
	LaunchTimeouts              // app_launch_timeout
	Crashes                     // crashes of the app, native or not
	ANRs                        // app_anr
	WebErrors                   // uncaught errors and lost processes of the web view
	Offered                     // devices that came to be offered the version, or further; so the next four
	Downloading
	Downloaded
	Installed // or failed on it, which takes trying
	Healthy
	Failed     // devices that came to have failed on the version
	Regressed  // those of them that had been healthy on it
	RolledBack // devices that left it
	Downloads  // requests that sent something; only without a version, so Bytes
	Bytes

	Fields = int(Bytes) + 1
)

// Columns names the fields in storage and in answers.
var Columns = [Fields]string{
	"opens", "sessions", "foreground_ms", "starts", "launches", "launch_ms", "launch_timeouts",
	"crashes", "anrs", "web_errors", "offered", "downloading", "downloaded", "installed", "healthy",
	"failed", "regressed", "rolled_back", "downloads", "bytes",
}

// Counts holds a sum per field.
type Counts [Fields]int64

// Add adds o.
func (c *Counts) Add(o *Counts) {
	for i, n := range o {
		c[i] += n
	}
}

// countOf returns the field that an action counts in.
func countOf(action string) (Field, bool) {
	switch action {
	case "app_moved_to_foreground":
		return Opens, true
	case "app_launch_start":
		return Starts, true
	case "app_launch_ready":
		return Launches, true
	case "app_launch_timeout":
		return LaunchTimeouts, true
	case "app_crash", "app_crash_native", "app_initialization_failure":
		return Crashes, true
	case "app_anr":
		return ANRs, true
	case "webview_javascript_error", "webview_unhandled_rejection", "webview_render_process_gone",
		"webview_content_process_terminated":
		return WebErrors, true
	}
	return 0, false
}
