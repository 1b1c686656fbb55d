package admit

import (
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/sealed"
)

// Build is what a native app was made with. No update can change any of it.
type Build struct {
	App      string
	Platform string
	Version  string    // of the native app
	MinClass string    // sealed.ClassProduction, or ClassStaging for apps of testers
	Root     []byte    // TUF root, signed
	Floor    int64     // no bundle with a lower seq is ever activated
	Made     time.Time // no clock is earlier than that
}

// check refuses a build that could not have been meant.
func (b Build) check() error {
	if b.App == "" || b.Platform == "" || b.Made.IsZero() || b.Floor < 0 || b.Floor > sealed.MaxInt ||
		b.MinClass != sealed.ClassProduction && b.MinClass != sealed.ClassStaging {
		return fail(CodeBuild, "the native app lacks its app id, platform, class, floor or time of making").
			WithHint("set them where the app is built; they are compiled in")
	}
	return nil
}
