package outcome

import "fmt"

// State is how far a device has come with a version. A later one includes the
// ones before it, but for Failed and RolledBack, which end all others.
type State uint8

// The states, in their order. They are stored as numbers, which must not change.
const (
	None        State = iota
	Offered           // an update check was answered with it
	Downloading       // the device began to fetch it
	Downloaded        // it has all of it
	Installed         // it was switched to; nobody knows yet whether it works
	Healthy           // the app said it is ready, or was heard of again
	Failed            // see [Record.Reason]
	RolledBack        // the device left it: after it had failed (then with its reason), or because it was told to
)

// States lists all but None.
var States = [...]State{Offered, Downloading, Downloaded, Installed, Healthy, Failed, RolledBack}

var names = [...]string{"none", "offered", "downloading", "downloaded", "installed", "healthy", "failed", "rolled_back"}

// String returns the word for the state.
func (s State) String() string {
	if int(s) < len(names) {
		return names[s]
	}
	return fmt.Sprintf("state %d", uint8(s))
}

// Parse returns the state with that word.
func Parse(word string) (State, bool) {
	for i, name := range names {
		if name == word {
			return State(i), true
		}
	}
	return None, false
}

// Silent is the reason of a device that installed a version and was never heard
// of again within the health window.
const Silent = "silent"

// Of returns the state that an event of the plugins proves for the version it
// names; false = none.
func Of(action string) (State, bool) {
	switch action {
	case "download_0", "download_10", "download_20", "download_30", "download_40", "download_50",
		"download_60", "download_70", "download_80", "download_90",
		"download_zip_start", "download_zip_complete", "download_manifest_start", "download_manifest_complete":
		return Downloading, true
	case "download_complete", "set_next":
		return Downloaded, true
	case "set":
		return Installed, true
	case "app_launch_ready":
		return Healthy, true
	}
	if Fails(action) {
		return Failed, true
	}
	return None, false
}

// Fails reports whether the event means that the device could not take the
// version it names, whenever that happens.
func Fails(action string) bool { return action == "update_fail" || action == "set_fail" }

// Hurts reports whether the event is a failure if it comes within the health
// window after a device took a version or was held back from one: what fails
// for good, and crashes of what runs.
func Hurts(action string) bool {
	switch action {
	case "update_fail", "set_fail", "app_crash", "app_crash_native", "app_anr", "app_initialization_failure",
		"app_launch_timeout", "webview_render_process_gone", "webview_content_process_terminated":
		return true
	}
	return false
}
