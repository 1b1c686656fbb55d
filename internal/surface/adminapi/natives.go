package adminapi

import (
	"net/http"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

type nativesInput struct {
	Request
	AppParams
	OnChannel string `query:"channel" maxLength:"64" doc:"count the devices on this channel that run each"`
}

type nativeInput struct {
	Request
	AppParams
	Platform string `path:"platform" enum:"ios,android"`
	Version  string `path:"version" doc:"native version, such as 2.3.0"`
}

func (s *server) registerNatives() {
	const tag, path = "natives", "/apps/{app}/natives"
	register(s, route{
		id: "list-natives", method: http.MethodGet, path: path, action: "native.list", tag: tag,
		summary: "List the registered native versions of an app, latest first; there are at most 500",
	},
		func(c *call, in *nativesInput, _ none) (list[ota.NativeBuild], error) {
			items, err := s.deps.Control.NativeBuilds(c, in.App, in.OnChannel)
			return listOf(items, "", err)
		})
	register(s, route{
		id: "register-native", method: http.MethodPost, path: path, action: "native.create", tag: tag,
		status: http.StatusCreated, also: http.StatusOK,
		summary: "Register what a version of the native app has; 200 = it was registered with the same",
	},
		func(c *call, in *appInput, body ota.NewNativeBuild) (ota.NativeBuild, error) {
			n, created, err := s.deps.Control.RegisterNative(c, c.actor, in.App, body)
			c.createdIf(created)
			return n, err
		})
	register(s, route{
		id: "delete-native", method: http.MethodDelete, path: path + "/{platform}/{version}", action: "native.delete", tag: tag, status: http.StatusNoContent,
		summary: "Forget a native version; its devices are no longer held to what it has",
	},
		func(c *call, in *nativeInput, _ none) (none, error) {
			return none{}, s.deps.Control.DeleteNative(c, c.actor, in.App, in.Platform, in.Version)
		})
}
