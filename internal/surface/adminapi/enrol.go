package adminapi

import (
	"net/http"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

type sealedDevicesInput struct {
	Request
	AppParams
	Device  string `query:"device" maxLength:"64" doc:"only keys of this device"`
	Subject string `query:"subject" maxLength:"255" doc:"only devices of this subject of the identity provider"`
	Revoked string `query:"revoked" enum:"true,false" doc:"only those that were revoked, or were not"`
	PageParams
}

type sealedDeviceInput struct {
	Request
	AppParams
	Thumbprint string `path:"thumbprint" pattern:"^[0-9a-f]{64}$" doc:"of the device's signing key"`
}

type sealedPageInput struct {
	Request
	AppParams
	PageParams
}

type sealedUsesInput struct {
	Request
	AppParams
	Since int64 `query:"since" minimum:"0" doc:"Unix ms; only hours that began then or later"`
	PageParams
}

type sealedRevocationInput struct {
	Request
	AppParams
	ID int64 `path:"id" minimum:"1"`
}

func (s *server) registerEnrol() {
	const tag, base = "sealed devices", "/apps/{app}/sealed"
	register(s, route{
		id: "get-sealed-policy", method: http.MethodGet, path: base + "/policy", action: "sealed_policy.get", tag: tag,
		summary: "Get which devices of an app get certificates and content keys",
	},
		func(c *call, in *appInput, _ none) (ota.SealedPolicy, error) { return s.deps.Enrol.Policy(c, in.App) })
	register(s, route{
		id: "update-sealed-policy", method: http.MethodPatch, path: base + "/policy", action: "sealed_policy.set", tag: tag,
		summary: "Change which devices of an app get certificates and content keys",
	},
		func(c *call, in *appInput, body ota.SealedPolicyPatch) (ota.SealedPolicy, error) {
			return s.deps.Enrol.SetPolicy(c, c.actor, in.App, body)
		})
	register(s, route{
		id: "get-sealed-recipient", method: http.MethodGet, path: base + "/recipient", action: "sealed.get", tag: tag,
		summary: "Get whom publishers seal the content keys of new epochs to",
	},
		func(c *call, in *appInput, _ none) (ota.SealedRecipient, error) {
			return s.deps.Enrol.Recipient(c, in.App)
		})
	register(s, route{
		id: "list-sealed-devices", method: http.MethodGet, path: base + "/devices", action: "sealed_device.list", tag: tag,
		summary: "List enrolled devices of an app, newest first",
	},
		func(c *call, in *sealedDevicesInput, _ none) (list[ota.SealedDevice], error) {
			f := ota.SealedDeviceFilter{Device: in.Device, Subject: in.Subject}
			if in.Revoked != "" {
				revoked := in.Revoked == "true"
				f.Revoked = &revoked
			}
			return listOf(s.deps.Enrol.Devices(c, in.App, f, in.page()))
		})
	register(s, route{
		id: "get-sealed-device", method: http.MethodGet, path: base + "/devices/{thumbprint}", action: "sealed_device.get", tag: tag,
		summary: "Get an enrolled device by the thumbprint of its key",
	},
		func(c *call, in *sealedDeviceInput, _ none) (ota.SealedDevice, error) {
			return s.deps.Enrol.Device(c, in.App, in.Thumbprint)
		})
	register(s, route{
		id: "list-sealed-uses", method: http.MethodGet, path: base + "/uses", action: "sealed_device.list", tag: tag,
		summary: "List how often devices of an app enrolled, asked for keys and reported, by hour",
	},
		func(c *call, in *sealedUsesInput, _ none) (list[ota.SealedUse], error) {
			return listOf(s.deps.Enrol.Uses(c, in.App, in.Since, in.page()))
		})
	s.registerRevocations(tag, base+"/revocations")
}

func (s *server) registerRevocations(tag, base string) {
	register(s, route{
		id: "list-sealed-revocations", method: http.MethodGet, path: base, action: "sealed_device.list", tag: tag,
		summary: "List the revocations of devices, subjects and certificates that hold, newest first",
	},
		func(c *call, in *sealedPageInput, _ none) (list[ota.SealedRevocation], error) {
			return listOf(s.deps.Enrol.Revocations(c, in.App, in.page()))
		})
	register(s, route{
		id: "create-sealed-revocation", method: http.MethodPost, path: base, action: "sealed_device.revoke", tag: tag, status: http.StatusCreated,
		summary: "Revoke a device, a subject or a range of certificates: it gets no content keys from now on",
	},
		func(c *call, in *appInput, body ota.NewSealedRevocation) (ota.SealedRevocation, error) {
			return s.deps.Enrol.Revoke(c, c.actor, in.App, body)
		})
	register(s, route{
		id: "delete-sealed-revocation", method: http.MethodDelete, path: base + "/{id}", action: "sealed_device.lift", tag: tag,
		summary: "Lift a revocation",
	},
		func(c *call, in *sealedRevocationInput, _ none) (none, error) {
			return none{}, s.deps.Enrol.Lift(c, c.actor, in.App, in.ID)
		})
}
