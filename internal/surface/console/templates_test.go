package console

import (
	"testing"
	"time"
)

// TestTemplatesParse reads what a server reads only when a page is first shown.
func TestTemplatesParse(t *testing.T) {
	a, err := loadAssets()
	if err != nil {
		t.Fatal(err)
	}
	pages, err := loadTemplates(a, time.Now)
	if err != nil || len(pages) < 50 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	for name, load := range pages {
		if _, err := load(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
