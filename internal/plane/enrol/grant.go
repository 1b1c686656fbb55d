package enrol

import (
	"context"
	"encoding/hex"
	"net/netip"
	"slices"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/access"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
)

func hexOf(b []byte) string { return hex.EncodeToString(b) }

// Grant answers a device's request for a content key: with the key, encrypted to
// the device, if the policy lets it have it. With grants by a broker the request
// is passed on, and the answer is the broker's.
func (s *Service) Grant(ctx context.Context, app string, body []byte, from netip.Addr) ([]byte, error) {
	out, thumbprint, err := s.grant(ctx, app, body, from)
	s.count(app, askGrant, err)
	if err == nil {
		s.granted(app, thumbprint)
	}
	return out, err
}

func (s *Service) grant(ctx context.Context, app string, body []byte, from netip.Addr) (out []byte, thumbprint string, err error) {
	if err := s.rates.allow(askGrant, app, from, s.Now()); err != nil {
		return nil, "", err
	}
	req, err := sealed.Parse[sealed.GrantRequest](body)
	if err != nil {
		return nil, "", err
	}
	policy, err := s.Policy(ctx, app)
	if err != nil {
		return nil, "", err
	}
	allowed, err := s.decide(ctx, app, req, &policy)
	if err != nil {
		return nil, "", err
	}
	release, err := s.mayHave(ctx, app, req, allowed)
	if err != nil {
		return nil, "", err
	}
	thumbprint = allowed.Certificate().Thumbprint
	if policy.Grants == ota.GrantsByBroker {
		out, err = s.relay(ctx, app, body, &policy, release.Epoch)
		return out, thumbprint, err
	}
	wrapped, _, err := s.SealedKey(ctx, app, release.Epoch, "")
	if err != nil {
		return nil, "", err
	}
	if s.Custody == nil {
		return nil, "", ota.Errorf(ota.KindUnavailable, CodeCustody, "this server keeps no content keys")
	}
	signer, err := s.Authority(ctx, app)
	if err != nil {
		return nil, "", err
	}
	key, err := s.Custody.Open(ctx, app, release.Epoch, wrapped)
	if err != nil {
		return nil, "", err
	}
	out, err = access.Grant(ctx, allowed, release.Epoch, key, signer)
	return out, thumbprint, err
}

// decide asks whether the device may have keys of the app at all.
func (s *Service) decide(ctx context.Context, app string, req *sealed.GrantRequest, policy *ota.SealedPolicy) (access.Allowed, error) {
	authorities, err := s.Authorities(ctx, app)
	if err != nil {
		return access.Allowed{}, err
	}
	rules := access.Rules{
		App: app, Authority: sealed.KeySet(authorities...), Groups: policy.Groups, MinAssurance: policy.MinAssurance,
		Lifetime: time.Duration(policy.GrantHours) * time.Hour,
	}
	var failed error
	rules.Revoked = func(c *sealed.Certificate) bool {
		row, err := s.Store.SealedDevice(ctx, app, c.Thumbprint)
		if ota.KindOf(err) == ota.KindNotFound {
			return true // its enrolment is gone
		}
		if err != nil {
			failed = err
			return true
		}
		// Only the newest certificate of a key counts: the one before may name groups
		// that its user has left.
		return row.Revoked || row.Serial != c.Serial || row.CertDigest != ota.Sum(req.Certificate)
	}
	allowed, err := access.Decide(req, &rules, s.Now())
	if failed != nil {
		return access.Allowed{}, failed
	}
	return allowed, err
}

// mayHave finds the release of the manifest, if the device may have it.
func (s *Service) mayHave(ctx context.Context, app string, req *sealed.GrantRequest, allowed access.Allowed) (Release, error) {
	none := ota.NotFound(CodeManifest, "there is no manifest that this device may have a key for").WithField("manifest")
	digest, err := ota.ParseDigest(req.Manifest)
	if err != nil {
		return Release{}, none
	}
	release, err := s.Release(ctx, app, digest)
	if ota.KindOf(err) == ota.KindNotFound {
		return Release{}, none
	}
	if err != nil {
		return Release{}, err
	}
	row, err := s.Store.SealedDevice(ctx, app, allowed.Certificate().Thumbprint)
	if err != nil {
		return Release{}, err
	}
	if release.Epoch < 1 || len(release.Platforms) > 0 && !slices.Contains(release.Platforms, row.Platform) {
		return Release{}, none
	}
	return release, nil
}

// relay passes the request on to the app's broker. The server cannot open what
// it sends, nor what comes back.
func (s *Service) relay(ctx context.Context, app string, body []byte, policy *ota.SealedPolicy, epoch int64) ([]byte, error) {
	if policy.Broker == "" || s.Ask == nil {
		return nil, ota.Errorf(ota.KindUnavailable, CodeBroker, "this server does not pass requests on to the app's key broker").
			WithHint("ask the broker itself, or set its address: waxwing sealed policy set --app %s --broker-url URL", app)
	}
	out, err := s.brokerRequest(ctx, app, body, epoch)
	if err != nil {
		return nil, err
	}
	answer, err := s.Ask(ctx, policy.Broker, out)
	if err != nil {
		return nil, err
	}
	// What is passed on is a grant and nothing else.
	if _, err := sealed.Parse[sealed.Grant](answer); err != nil {
		return nil, ota.Errorf(ota.KindUnavailable, CodeBroker, "the key broker did not answer with a grant").WithCause(err)
	}
	return answer, nil
}

func (s *Service) brokerRequest(ctx context.Context, app string, body []byte, epoch int64) ([]byte, error) {
	wrapped, _, err := s.SealedKey(ctx, app, epoch, AnyBroker)
	if err != nil {
		return nil, err
	}
	return sealed.Encode(&sealed.BrokerRequest{V: 1, Request: body, Epoch: epoch, Key: wrapped})
}

// AnyBroker asks [Deps.SealedKey] for a key that is sealed to some broker.
const AnyBroker = "*"

// EpochKey is the content key of an epoch as it is sealed to the app's broker,
// for devices that ask the broker themselves. It opens for the broker alone.
func (s *Service) EpochKey(ctx context.Context, app string, epoch int64, from netip.Addr) (wrapped []byte, broker string, err error) {
	if err := s.rates.allow(askGrant, app, from, s.Now()); err != nil {
		return nil, "", err
	}
	policy, err := s.Policy(ctx, app)
	if err != nil {
		return nil, "", err
	}
	if policy.Grants != ota.GrantsByBroker {
		return nil, "", ota.NotFound(CodeKeyless, "the keys of this app are not with a broker")
	}
	return s.SealedKey(ctx, app, epoch, AnyBroker)
}
