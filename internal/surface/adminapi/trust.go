package adminapi

import (
	"net/http"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

type trustInput struct {
	Request
	AppParams
	Role string `path:"role" enum:"root,targets,staging,snapshot,timestamp,trust" doc:"role of the document"`
}

type trustReadInput struct {
	Request
	AppParams
	Role    string `path:"role" enum:"root,targets,staging,snapshot,timestamp,trust" doc:"role of the document"`
	Version uint32 `query:"version" doc:"0 = the one in force; old versions are kept of the root only"`
}

type trustFileInput struct {
	Request
	AppParams
	SHA256 string `path:"sha256" doc:"SHA-256 of the file, lower-case hex"`
}

// maxTrustBody is what a document with its files takes in base64.
const maxTrustBody = 32 << 20

func (s *server) registerTrust() {
	const tag, one = "trust", "/apps/{app}/trust"
	register(s, route{
		id: "get-trust", method: http.MethodGet, path: one, action: "trust.get", tag: tag,
		summary: "Show what devices of sealed updates trust, and the keys that the server signs with",
	}, func(c *call, in *appInput, _ none) (ota.TrustStatus, error) {
		return s.deps.Trust.Status(c, in.App)
	})
	register(s, route{
		id: "get-trust-metadata", method: http.MethodGet, path: one + "/metadata/{role}", action: "trust.get", tag: tag,
		summary: "Get a signed document, byte for byte",
	}, func(c *call, in *trustReadInput, _ none) (ota.TrustDocument, error) {
		return s.deps.Trust.Metadata(c, in.App, in.Role, in.Version)
	})
	register(s, route{
		id: "publish-trust-metadata", method: http.MethodPut, path: one + "/metadata/{role}", action: "trust.publish", tag: tag,
		summary: "Put a signed document in force; below the threshold of its role nothing changes", limit: maxTrustBody,
	}, func(c *call, in *trustInput, body ota.TrustUpload) (ota.TrustPublished, error) {
		if action, ok := map[string]string{ota.TrustRoleRoot: "trust.root", ota.TrustRoleTargets: "trust.release"}[in.Role]; ok {
			if err := c.may(action, ota.Scope{App: in.App}); err != nil {
				return ota.TrustPublished{}, err
			}
		}
		return s.deps.Trust.Publish(c, c.actor, in.App, in.Role, body)
	})
	register(s, route{
		id: "get-trust-file", method: http.MethodGet, path: one + "/files/{sha256}", action: "trust.get", tag: tag,
		summary: "Get a manifest or trust.json by its hash, byte for byte",
	}, func(c *call, in *trustFileInput, _ none) (ota.TrustFile, error) {
		return s.deps.Trust.File(c, in.App, in.SHA256)
	})
	s.registerSealed()
}

func (s *server) registerSealed() {
	const tag = "sealed"
	register(s, route{
		id: "get-sealed-place", method: http.MethodGet, path: "/apps/{app}/sealed", action: "sealed.get", tag: tag,
		summary: "Show where the next sealed bundle of an app goes: its number, the floor, the epoch",
	}, func(c *call, in *appInput, _ none) (ota.SealedPlace, error) {
		return s.deps.Trust.Place(c, in.App)
	})
	register(s, route{
		id: "list-sealed-manifests", method: http.MethodGet, path: "/apps/{app}/sealed/manifests", action: "sealed.get", tag: tag,
		summary: "List the manifests of an app, highest number first",
	}, func(c *call, in *sealedListInput, _ none) (list[ota.SealedManifest], error) {
		items, next, err := s.deps.Trust.Page(c, in.App, in.Version, in.page())
		return listOf(items, next, err)
	})
	register(s, route{
		id: "add-sealed-manifest", method: http.MethodPost, path: "/apps/{app}/sealed/manifests", action: "sealed.create", tag: tag,
		status: http.StatusCreated, also: http.StatusOK,
		summary: "Register the manifest of a bundle; devices get it once signed metadata lists it",
	}, func(c *call, in *appInput, body ota.NewSealedManifest) (ota.SealedManifest, error) {
		m, created, err := s.deps.Trust.AddManifest(c, c.actor, in.App, body)
		if !created {
			c.status = http.StatusOK
		}
		return m, err
	})
}

type sealedListInput struct {
	Request
	AppParams
	PageParams
	Version string `query:"version" maxLength:"100" doc:"only those of this bundle; empty = of all"`
}
