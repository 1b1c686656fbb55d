package control

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// actOf makes the act of a stored request again: its document holds the request
// as it was made, and nothing else is carried out.
func (s *Service) actOf(a *ota.Approval) (*act, error) {
	var d struct {
		Request json.RawMessage `json:"request"`
	}
	if err := json.Unmarshal(a.Document, &d); err != nil {
		return nil, fmt.Errorf("document of approval %d: %w", a.ID, err)
	}
	switch a.Act {
	case ota.ActRelease:
		return again(d.Request, func(in releaseCall) *act { return s.releaseAct(a.App, in, new(ota.Release), new(bool)) })
	case ota.ActRolloutStart, ota.ActRolloutUpdate:
		return again(d.Request, func(in rolloutCall) *act { return s.rolloutAct(a.App, in, new(ota.Rollout)) })
	case ota.ActPromote:
		return again(d.Request, func(in channelCall) *act { return s.promoteAct(a.App, in, new(ota.Release)) })
	case ota.ActChannelCreate:
		return again(d.Request, func(in policyCall) *act { return s.createChannelAct(a.App, in, new(ota.Channel)) })
	case ota.ActChannelUpdate:
		return again(d.Request, func(in policyCall) *act { return s.updateChannelAct(a.App, in, new(ota.Channel)) })
	case ota.ActChannelDelete:
		return again(d.Request, func(in channelCall) *act { return s.deleteChannelAct(a.App, in) })
	case ota.ActAppDelete:
		return s.deleteAppAct(a.App), nil
	case ota.ActKeyCreate:
		return again(d.Request, func(in keyCall) *act { return s.registerKeyAct(a.App, in, a.Object, new(ota.Key)) })
	case ota.ActKeyState:
		return again(d.Request, func(in keyCall) *act { return s.keyStateAct(a.App, in, new(ota.Key)) })
	case ota.ActScanPolicy:
		return again(d.Request, func(in scanPolicyCall) *act { return s.scanPolicyAct(a.App, in) })
	case ota.ActBundleUpdate:
		return again(d.Request, func(in bundleCall) *act { return s.updateBundleAct(a.App, in, new(ota.Bundle)) })
	}
	return nil, fmt.Errorf("approval %d is for %q, which this program does not know", a.ID, a.Act)
}

func again[T any](raw json.RawMessage, make func(T) *act) (*act, error) {
	var in T
	if err := json.Unmarshal(raw, &in); err != nil {
		return nil, fmt.Errorf("request of an approval: %w", err)
	}
	return make(in), nil
}

// linked fills in where people look at a request.
func (s *Service) linked(a *ota.Approval) {
	a.Link = s.console + "/console/approvals/" + strconv.FormatInt(a.ID, 10)
}
