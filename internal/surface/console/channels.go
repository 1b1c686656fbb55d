package console

import "github.com/waxwing-ota/waxwing/internal/core/ota"

type channelsView struct{ Channels []ota.Channel }

func (c *Console) registerChannels() {
	c.page(route{method: "GET", path: "/apps/{app}/channels", action: "channel.list"}, c.showChannels)
	c.act(route{method: "POST", path: "/apps/{app}/channels", action: "channel.create"}, c.createChannel, c.showChannels)
}

func (c *Console) showChannels(r *request) (answer, error) {
	channels, err := r.api.Channels(r, r.app())
	return r.show("channels", "Channels", channelsView{channels}), err
}

func (c *Console) createChannel(r *request) (answer, error) {
	ch, err := r.api.CreateChannel(r, r.app(), r.text("name"), ota.PolicyPatch{})
	return r.done("channel_created", "apps", r.app(), "channels", ch.Name), err
}
