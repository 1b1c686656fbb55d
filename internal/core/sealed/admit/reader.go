package admit

import (
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
	"github.com/waxwing-ota/waxwing/internal/core/tlogproof"
	"github.com/waxwing-ota/waxwing/internal/core/tuf"
)

// reader is what reads and verifies single documents. All of it are pure
// functions of their arguments, so that a simulation may remember their results
// and run the same decisions a thousand times faster. Nobody outside this package
// can exchange one.
type reader struct {
	resume   func(tuf.State, time.Time) (*tuf.Client, error)
	request  func([]byte) (*sealed.CheckRequest, error)
	trust    func([]byte) (*sealed.Trust, error)
	manifest func([]byte) (*sealed.Manifest, error)
	director func(envelope []byte, keys []p256.Key) (sealed.Director, error)
	proven   func(proof string, manifest ota.Digest, p tlogproof.Policy, kept tlogproof.Checkpoint, consistency []ota.Digest) (tlogproof.Checkpoint, error)
}

// verifying is the one reader of programs.
func verifying() reader {
	return reader{
		resume: tuf.Resume, request: sealed.Parse[sealed.CheckRequest], trust: sealed.Parse[sealed.Trust], manifest: sealed.Parse[sealed.Manifest],
		director: func(envelope []byte, keys []p256.Key) (sealed.Director, error) {
			var o sealed.Director
			err := sealed.Open(envelope, sealed.MaxDirector, sealed.KeySet(keys...), 1, o.Kind(), &o)
			return o, err
		},
		proven: func(proof string, manifest ota.Digest, p tlogproof.Policy, kept tlogproof.Checkpoint, consistency []ota.Digest) (tlogproof.Checkpoint, error) {
			return tlogproof.Check(proof, manifest, tlogproof.KindManifest, p, kept, consistency)
		},
	}
}
