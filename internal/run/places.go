package run

import (
	"context"

	"github.com/waxwing-ota/waxwing/internal/plane/authz"
	"github.com/waxwing-ota/waxwing/internal/plane/snap"
)

// places answers from the snapshot, which is what devices are answered from, so
// that deciding on a request costs no query.
type places struct{ snap *snap.Holder }

var _ authz.Places = places{}

func (p places) OrgOf(_ context.Context, app string) (string, error) {
	if a := p.snap.App(app); a != nil {
		return a.Org, nil
	}
	return "", nil
}

func (p places) Channel(_ context.Context, app, channel string) (exists, public bool, err error) {
	a := p.snap.App(app)
	if a == nil {
		return false, false, nil
	}
	c := a.ChannelByName(channel)
	if c == nil {
		return false, false, nil
	}
	return true, c.Policy.Public, nil
}
