package demo

import (
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/waxwing-ota/waxwing/internal/sample"
)

// pictureBytes is the size of the file that stands for an app's pictures: they
// do not compress, and do not change between releases.
const pictureBytes = 1 << 20

// writeBuilds lays the two versions of the sample app down as a build tool
// would, so that they can be looked at, changed and pushed again.
func (s *story) writeBuilds() error {
	for version, build := range map[string]fs.FS{good: sample.V1(), broken: sample.V2()} {
		dir := s.build(version)
		if err := os.CopyFS(dir, build); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, "img", "birds.bin"), pictures(), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// build is the folder of a version's web build.
func (s *story) build(version string) string { return filepath.Join(s.rep.Builds, version) }

// pictures is the same incompressible content every time.
func pictures() []byte {
	r := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, pictureBytes)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}
