// Package device is one simulated app installation. It speaks to an update
// server as the public Capacitor updater plugin does: it checks, downloads
// whole bundles or single files, resumes, verifies, decrypts, unpacks, installs,
// confirms or rolls back, reports, and keeps its state in one directory. It
// stands in for phones in the demo, in tests and under load.
//
// It must never run a bundle whose content it did not verify, never write
// outside its directory, never trust a size, path or redirect it was told, and
// never wait: the caller says when an app starts and whether it becomes ready,
// and passes the clock and the HTTP client.
//
// It refuses all that the plugin refuses on either mobile platform, and more.
// Where Android and iOS disagree about an answer, the stricter reading counts,
// so that an answer it accepts is one that both accept.
package device
