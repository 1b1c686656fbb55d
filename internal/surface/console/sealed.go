package console

import "github.com/waxwing-ota/waxwing/internal/core/ota"

// sealedView is what holds of an app's sealed updates.
type sealedView struct {
	Trust     ota.TrustStatus
	Soon      int64 // unix ms: what expires before this is marked
	Manifests []ota.SealedManifest
	Policy    *ota.SealedPolicy // nil = the visitor may not see it
	Devices   []ota.SealedDevice
	Next      string // of the devices
}

// expiresSoon is how long before its end signed metadata is marked.
const expiresSoon = 14 * 24 * 60 * 60 * 1000

func (c *Console) registerSealed() {
	c.page(route{method: "GET", path: "/apps/{app}/sealed", action: "trust.get"}, c.showSealed)
	c.act(route{method: "POST", path: "/apps/{app}/sealed", action: "sealed_device.revoke"}, c.revokeSealed, c.showSealed)
}

func (c *Console) showSealed(r *request) (answer, error) {
	v := sealedView{Soon: c.deps.Now().UnixMilli() + expiresSoon}
	var err error
	if v.Trust, err = r.api.Trust(r, r.app()); err != nil {
		return answer{}, err
	}
	if r.mayIn("sealed.get") {
		if v.Manifests, _, err = r.api.SealedManifests(r, r.app(), "", ota.Page{Limit: 50}); err != nil {
			return answer{}, err
		}
	}
	if r.mayIn("sealed_policy.get") {
		policy, err := r.api.SealedPolicy(r, r.app())
		if err != nil {
			return answer{}, err
		}
		v.Policy = &policy
	}
	if r.mayIn("sealed_device.list") {
		if v.Devices, v.Next, err = r.api.SealedDevices(r, r.app(), ota.SealedDeviceFilter{}, r.listPage()); err != nil {
			return answer{}, err
		}
	}
	return r.show("sealed", "Sealed updates", v), nil
}

func (c *Console) revokeSealed(r *request) (answer, error) {
	_, err := r.api.RevokeSealed(r, r.app(), ota.NewSealedRevocation{Device: r.text("device"), Reason: r.text("reason")})
	return r.done("sealed_revoked", "apps", r.app(), "sealed"), err
}
