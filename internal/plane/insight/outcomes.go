package insight

import (
	"context"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/outcome"
)

// CodeStateInvalid is of a state of outcomes that is none.
const CodeStateInvalid = "state_invalid"

// maxDeviceOutcomes bounds what is told of one device.
const maxDeviceOutcomes = 50

// Outcomes lists the devices that came somewhere with a version, by device id.
func (s *Service) Outcomes(ctx context.Context, app string, f ota.OutcomeFilter, p ota.Page) ([]ota.DeviceOutcome, string, error) {
	if f.State != "" {
		if state, ok := outcome.Parse(f.State); !ok || state == outcome.None {
			return nil, "", ota.Invalid(CodeStateInvalid, "%q is no state of an outcome", f.State).WithField("state").
				WithHint("use offered, downloading, downloaded, installed, healthy, failed or rolled_back")
		}
	}
	list, next, err := s.store.OutcomeList(ctx, app, f, p)
	if err == nil && len(list) == 0 && f.Version != "" {
		err = s.known(ctx, app, f.Version)
	}
	return list, next, err
}

// known reports a version that was never published: a word that is spelt wrong
// would else look like a version that nobody has.
func (s *Service) known(ctx context.Context, app, version string) error {
	if version == ota.Builtin {
		return nil
	}
	_, err := s.store.Bundle(ctx, app, version)
	return err
}

// OutcomeSummary says how a version fares.
func (s *Service) OutcomeSummary(ctx context.Context, app, version string) (ota.OutcomeSummary, error) {
	counts, err := s.store.OutcomeCounts(ctx, app, version)
	out := ota.OutcomeSummary{Version: version, Counts: counts}
	if err == nil && len(counts) == 0 {
		err = s.known(ctx, app, version)
	}
	for _, c := range counts {
		state, _ := outcome.Parse(c.State)
		out.Offered += c.Devices
		if state >= outcome.Downloaded {
			out.Downloaded += c.Devices
		}
		if state >= outcome.Installed {
			out.Installed += c.Devices
		}
		if c.Reason != "" {
			out.Failed += c.Devices
		} else if state >= outcome.Healthy {
			out.Healthy += c.Devices
		}
		if state == outcome.RolledBack {
			out.RolledBack += c.Devices
		}
	}
	return out, err
}

// DeviceOutcomes says how a device fared with the latest versions.
func (s *Service) DeviceOutcomes(ctx context.Context, app string, id ota.DeviceID) ([]ota.DeviceOutcome, error) {
	return s.store.DeviceOutcomes(ctx, app, id, maxDeviceOutcomes)
}

// Bucket says where a device falls in the rollout of a channel.
func Bucket(ch *ota.Channel, id ota.DeviceID) (ota.RolloutBucket, error) {
	r := ch.Rollout
	if r == nil {
		return ota.RolloutBucket{}, ota.NotFound("no_rollout", "no rollout runs on channel %q", ch.Name).
			WithHint("start one, or ask the probe what the device would get")
	}
	n := decide.Bucket(r.ID, id)
	return ota.RolloutBucket{
		Device: id, Channel: ch.Name, Rollout: r.ID, Version: r.Version, Bucket: n, BPS: r.BPS, In: n < r.BPS,
	}, nil
}
