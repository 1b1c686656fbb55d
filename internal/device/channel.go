package device

import (
	"context"
	"net/http"

	"github.com/go-json-experiment/json"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// ChannelInfo is the answer to a question about the device's channel.
type ChannelInfo struct {
	Channel  string `json:"channel"`
	Status   string `json:"status"` // "default", "override", or the server's word
	AllowSet bool   `json:"allow_set"`
}

// ListedChannel is one channel that the server lets the device choose.
type ListedChannel struct {
	ID           int64  `json:"id"`
	Name         string `json:"name"`
	Public       bool   `json:"public"`
	AllowSelfSet bool   `json:"allow_self_set"`
}

// SetChannel asks for a channel. If the server agrees, the device keeps the
// name and sends it with every request from then on; if it says "unset", the
// name is the default anyway and nothing is kept. A refusal is KindForbidden
// with the server's code.
func (d *Device) SetChannel(ctx context.Context, name string) (ChannelInfo, error) {
	info := ChannelInfo{Channel: name, AllowSet: true}
	if err := ota.CheckChannelName(name); err != nil {
		return info, err
	}
	body := d.channelInfo()
	body["channel"] = name
	if d.cfg.Platform == Electron {
		body["action"] = "set"
	}
	f, err := d.askChannel(ctx, http.MethodPost, body)
	if err != nil {
		return info, err
	}
	info.Status = clean(f.text("status"), 40)
	if f.flag("unset") {
		name = ""
	}
	if !d.traits.keepChannel {
		return info, nil // the server keeps it for old plugins
	}
	d.st.Channel = name
	return info, d.save()
}

// UnsetChannel goes back to the configured channel. Only old plugins and
// Electron ask the server for it.
func (d *Device) UnsetChannel(ctx context.Context) error {
	body := d.channelInfo()
	switch {
	case d.cfg.Platform == Electron:
		body["action"] = "unset"
		if _, err := d.askChannel(ctx, http.MethodPost, body); err != nil {
			return err
		}
	case !d.traits.keepChannel:
		if _, err := d.askChannel(ctx, http.MethodDelete, body); err != nil {
			return err
		}
	}
	d.st.Channel = ""
	return d.save()
}

// GetChannel asks which channel the device is on. As in the plugin, the name
// the server answers becomes the device's own.
func (d *Device) GetChannel(ctx context.Context) (ChannelInfo, error) {
	method := http.MethodPut
	if d.cfg.Platform == Electron {
		method = http.MethodGet
	}
	f, err := d.askChannel(ctx, method, d.channelInfo())
	if ota.CodeOf(err) == "channel_not_found" && err != nil && d.channel() != "" {
		return ChannelInfo{Channel: d.channel(), Status: "default", AllowSet: true}, nil
	}
	if err != nil {
		return ChannelInfo{}, err
	}
	info := ChannelInfo{Channel: clean(f.text("channel"), 100), Status: clean(f.text("status"), 40), AllowSet: true}
	for _, name := range []string{"allowSet", "allow_set"} {
		if f.has(name) {
			info.AllowSet = f.flag(name)
		}
	}
	if f.bad {
		return info, refuse(CodeDecode, "the channel answer has a field of the wrong type")
	}
	if info.Channel == "" || info.Channel == ota.Builtin || !d.traits.keepChannel || ota.CheckChannelName(info.Channel) != nil {
		return info, nil
	}
	d.st.Channel = info.Channel
	return info, d.save()
}

// ListChannels asks which channels the device may choose.
func (d *Device) ListChannels(ctx context.Context) ([]ListedChannel, error) {
	info := d.channelInfo()
	if d.cfg.Platform == Electron {
		info["action"] = "list"
	}
	r, err := d.sendChannel(ctx, http.MethodGet, info)
	if err != nil {
		return nil, err
	}
	list := []ListedChannel{}
	if f, ok := parseFields(r.body); ok {
		if f.has("error") || d.cfg.Platform != Electron {
			return nil, refusal(f)
		}
		r.body = f.m["channels"]
	}
	if r.status/100 != 2 || json.Unmarshal(r.body, &list) != nil || list == nil {
		return nil, refuse(CodeParse, "the list of channels is not one (status %d)", r.status)
	}
	return list, nil
}

func (d *Device) channelInfo() map[string]any {
	if d.cfg.Platform == Electron {
		return d.electronCallInfo()
	}
	return d.info()
}

// askChannel sends one request and reads its object; a refusal is an error.
func (d *Device) askChannel(ctx context.Context, method string, body map[string]any) (*fields, error) {
	r, err := d.sendChannel(ctx, method, body)
	if err != nil {
		return nil, err
	}
	f, ok := parseFields(r.body)
	switch {
	case ok && (f.has("error") || f.has("kind")):
		return nil, refusal(f)
	case r.status/100 != 2:
		return nil, ota.Errorf(ota.KindUnavailable, CodeResponse, "the channel endpoint answered %d", r.status)
	case !ok:
		return nil, refuse(CodeParse, "the channel answer is not one JSON object")
	}
	return f, nil
}

func (d *Device) sendChannel(ctx context.Context, method string, body map[string]any) (*reply, error) {
	if d.cfg.ChannelURL == "" {
		return nil, missingURL("channel_url")
	}
	if err := d.waiting(); err != nil {
		return nil, err
	}
	target, payload := d.cfg.ChannelURL, any(body)
	if method == http.MethodGet {
		t, err := withQuery(target, body)
		if err != nil {
			return nil, missingURL("channel_url")
		}
		target, payload = t, nil
	}
	r, err := d.call(ctx, method, target, payload, maxReply)
	if err != nil {
		return nil, unreachable(err)
	}
	if r.status == http.StatusTooManyRequests && d.cfg.Platform != Electron {
		a := d.limited(ctx, r.header, r.body)
		return nil, ota.Errorf(ota.KindUnavailable, a.Code, "%s", a.Message)
	}
	return r, nil
}

// refusal turns the server's error object into ours.
func refusal(f *fields) error {
	code, msg := clean(f.text("error"), 100), clean(f.text("message"), maxMessage)
	orElse(&code, "channel_refused")
	orElse(&msg, "the server refused ("+code+")")
	return ota.Errorf(ota.KindForbidden, code, "%s", msg)
}
