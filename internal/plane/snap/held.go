package snap

import (
	"cmp"
	"slices"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func holdOf(b *ota.Bundle) ota.Hold {
	if b.Held == nil {
		return ota.NotHeld
	}
	return b.Held.State
}

// buildHeld collects the bundles that are out of service, and the content that
// no bundle in service shares with them: links to that are worth nothing any more.
func buildHeld(bundles map[int64]*decide.Bundle) (held []*decide.Bundle, refused map[ota.Digest]struct{}) {
	for _, b := range bundles {
		if b.Held != ota.NotHeld {
			held = append(held, b)
		}
	}
	if len(held) == 0 {
		return nil, nil
	}
	slices.SortFunc(held, func(a, b *decide.Bundle) int { return cmp.Compare(a.ID, b.ID) })
	refused = map[ota.Digest]struct{}{}
	for _, b := range held {
		eachContent(b, func(d ota.Digest) { refused[d] = struct{}{} })
	}
	for _, b := range bundles {
		if b.Held == ota.NotHeld && !b.Deleted {
			eachContent(b, func(d ota.Digest) { delete(refused, d) })
		}
	}
	return held, refused
}

func eachContent(b *decide.Bundle, fn func(ota.Digest)) {
	for _, va := range b.Variants {
		if !va.Zip.IsZero() {
			fn(va.Zip)
		}
		for i := range va.Files {
			fn(va.Files[i].Blob)
		}
	}
}
