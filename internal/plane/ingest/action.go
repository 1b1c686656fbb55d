package ingest

import "strings"

// effect is what an event of some action changes besides being stored.
type effect struct {
	known bool
	reach Reach // how much of the device's row it replaces
}

// classify tells what an action means. Actions of newer clients are unknown
// and are stored all the same.
//
// An event names the bundle it is about, and only some are about the one that
// runs. Events of the download stage and failures leave the device's row alone:
// they name another bundle, and the background worker of Android that sends
// some of them omits fields, which would read as "the device has no key".
func classify(action string) effect {
	switch action {
	case "set", "reset", "app_launch_start", "app_launch_ready", "app_moved_to_foreground", "app_moved_to_background":
		return effect{known: true, reach: Running}
	case "blocked_by_server_url", "os_version_changed", "native_app_version_changed",
		"app_crash", "app_crash_native", "app_anr", "app_killed_low_memory", "app_killed_excessive_resource_usage",
		"app_initialization_failure", "app_memory_warning",
		"webview_javascript_error", "webview_unhandled_rejection", "webview_resource_error",
		"webview_security_policy_violation", "webview_unclean_restart", "webview_dom_content_loaded",
		"webview_page_loaded", "webview_content_process_terminated", "webview_render_process_gone":
		return effect{known: true, reach: Info}
	case "sealed_offered", "sealed_verified", "sealed_rolled_back":
		return effect{known: true} // of signed reports; what they mean for the outcome others say
	case "download_0", "download_10", "download_20", "download_30", "download_40", "download_50",
		"download_60", "download_70", "download_80", "download_90", "download_complete",
		"download_zip_start", "download_zip_complete", "download_manifest_start", "download_manifest_complete",
		"download_manifest_file_fail", "download_manifest_checksum_fail", "download_manifest_brotli_fail",
		"manifest_path_fail", "decrypt_fail", "session_key_required", "checksum_required", "checksum_fail",
		"download_fail", "finish_download_fail", "low_mem_fail", "insufficient_disk_space", "unzip_fail",
		"windows_path_fail", "canonical_path_fail", "directory_path_fail",
		"update_fail", "set_fail", "app_launch_timeout", "set_next", "delete", "rate_limit_reached":
		return effect{known: true}
	}
	if strings.HasPrefix(action, "download_") || strings.HasSuffix(action, "_fail") {
		return effect{}
	}
	return effect{reach: Info}
}

// bundleOf returns the version that a reported version name is about: reports
// on single files say "version:path".
func bundleOf(versionName string) string {
	if i := strings.IndexByte(versionName, ':'); i > 0 {
		return versionName[:i]
	}
	return versionName
}
