package control

import (
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Whatever published it, a bundle holds no source map.
func TestBundlesHoldNoSourceMap(t *testing.T) {
	files := []ota.TreeFile{{Path: "index.html"}, {Path: "main.js"}, {Path: "main.js.map"}}
	if err := checkTree(files); ota.CodeOf(err) != CodeTreeSourceMap {
		t.Errorf("a source map: %v", err)
	}
	files[2].Path = "zlevel.map"
	if err := checkTree(files); err != nil {
		t.Errorf("the map of a game: %v", err)
	}
}
