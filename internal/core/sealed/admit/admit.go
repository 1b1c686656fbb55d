package admit

import (
	"io"

	"github.com/waxwing-ota/waxwing/internal/core/cobblestone"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
)

// Source is where the files of a bundle come from and go to.
type Source interface {
	// Key is the content key of the manifest's epoch; zero if it is not encrypted.
	Key(m *sealed.Manifest) (cobblestone.Key, error)
	// Open gives the stored form of a file and where its plain form is written.
	Open(f sealed.File) (stored io.ReadSeeker, dst io.Writer, err error)
	// Present lists the files that were written and whatever else is there.
	Present() ([]string, error)
}

// Admit is the whole way of a bundle: documents, blobs, counters. The Verified is
// valid only if the director says install and everything holds; the state must be
// durable before it is activated, and is to be kept with an error as well. Other
// decisions are Decide's to tell.
func Admit(state State, in Input, from Source) (Verified, State, error) {
	d, state, err := Decide(state, in)
	if err != nil || d.Plan == nil {
		return Verified{}, state, err
	}
	v, err := d.Plan.admit(from)
	if err != nil {
		return Verified{}, state, err
	}
	next, err := state.Commit(v)
	if err != nil {
		return Verified{}, state, err
	}
	return v, next, nil
}

// admit takes in every file of the plan.
func (p *Plan) admit(from Source) (Verified, error) {
	key, err := from.Key(p.Manifest())
	if err != nil {
		return Verified{}, err
	}
	in, err := p.Intake(key)
	if err != nil {
		return Verified{}, err
	}
	for _, f := range p.Manifest().Files {
		stored, dst, err := from.Open(f)
		if err != nil {
			return Verified{}, err
		}
		if err := in.Blob(f.Path, stored, dst); err != nil {
			return Verified{}, err
		}
	}
	present, err := from.Present()
	if err != nil {
		return Verified{}, err
	}
	return in.Finish(present)
}
