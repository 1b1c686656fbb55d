package pack

import "testing"

func TestIsSourceMap(t *testing.T) {
	for p, want := range map[string]bool{
		"main.js.map": true, "assets/Chunk.MJS.Map": true, "styles.css.map": true, "a.ts.map": true,
		"level1.map": false, ".js.map": false, ".map": false, "main.js": false, "main.js.map/x.txt": false, "map": false, "": false,
	} {
		if got := IsSourceMap(p); got != want {
			t.Errorf("IsSourceMap(%q) = %v, want %v", p, got, want)
		}
	}
}
