// Package sample holds the small web app that the demo publishes: what a
// Capacitor build leaves in its output folder, in two versions.
//
// It must never hold anything but the app's files, and they must stay as small
// as they are: they are part of the binary.
//
// Among the files are the awkward ones of real apps: an empty one (cordova.js),
// one that is compressed already (data/places.json.br), and folders.
package sample

import (
	"embed"
	"io/fs"
)

//go:embed v1 v2
var apps embed.FS

// V1 is version 1.0.0, which works.
func V1() fs.FS { return app("v1") }

// V2 is version 2.0.0, in which three files differ. It passes the checks of a
// push, because its code mentions notifyAppReady, and fails on every device,
// because it throws before it gets there.
func V2() fs.FS { return app("v2") }

func app(dir string) fs.FS {
	sub, _ := fs.Sub(apps, dir) // fails only for a name that is no path
	return sub
}
