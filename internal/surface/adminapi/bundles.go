package adminapi

import (
	"net/http"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// plainVariant stands for the empty key id in addresses.
const plainVariant = "plain"

type bundleInput struct {
	Request
	AppParams
	Version string `path:"version" doc:"version name"`
}

type deleteBundleInput struct {
	Request
	AppParams
	Version string `path:"version" doc:"version name"`
	Force   bool   `query:"force" doc:"even while a channel serves it"`
}

type variantInput struct {
	Request
	AppParams
	Version string `path:"version" doc:"version name"`
	Key     string `path:"key" doc:"key id, percent-encoded, or plain"`
}

func (s *server) registerBundles() {
	const tag = "bundles"
	const bundles, one = "/apps/{app}/bundles", "/apps/{app}/bundles/{version}"
	register(s, route{
		id: "find-missing", method: http.MethodPost, path: "/apps/{app}/missing", action: "bundle.create", tag: tag,
		summary: "Ask what a push still has to upload",
	},
		func(c *call, in *appInput, body ota.MissingQuery) (ota.MissingAnswer, error) {
			return s.deps.Control.Missing(c, in.App, body)
		})
	register(s, route{
		id: "list-bundles", method: http.MethodGet, path: bundles, action: "bundle.list", tag: tag,
		summary: "List an app's bundles, newest first",
	},
		func(c *call, in *changesInput, _ none) (list[ota.Bundle], error) {
			return listOf(s.deps.Control.Bundles(c, in.App, in.page()))
		})
	register(s, route{
		id: "create-bundle", method: http.MethodPost, path: bundles, action: "bundle.create", tag: tag,
		status: http.StatusCreated, also: http.StatusOK,
		summary: "Publish a bundle whose blobs are uploaded; 200 = it was there with the same content",
	},
		func(c *call, in *appInput, body ota.NewBundle) (ota.Bundle, error) {
			b, created, err := s.deps.Control.CreateBundle(c, c.actor, in.App, body)
			c.createdIf(created)
			return b, err
		})
	register(s, route{
		id: "import-bundle", method: http.MethodPost, path: bundles + "/import", action: "bundle.create", tag: tag,
		status: http.StatusCreated, also: http.StatusOK,
		summary: "Register a bundle that another tool made",
	},
		func(c *call, in *appInput, body ota.ImportBundle) (ota.Bundle, error) {
			b, created, err := s.deps.Control.ImportBundle(c, c.actor, in.App, body)
			c.createdIf(created)
			return b, err
		})
	register(s, route{
		id: "get-bundle", method: http.MethodGet, path: one, action: "bundle.get", tag: tag,
		summary: "Get a bundle with its variants, without their files",
	},
		func(c *call, in *bundleInput, _ none) (ota.Bundle, error) {
			return s.deps.Control.Bundle(c, in.App, in.Version)
		})
	register(s, route{
		id: "update-bundle", method: http.MethodPatch, path: one, action: "bundle.update", tag: tag,
		waits:   true,
		summary: "Change what is not content",
	},
		func(c *call, in *bundleInput, body ota.BundlePatch) (ota.Bundle, error) {
			return s.deps.Control.UpdateBundle(c, c.principal, in.App, in.Version, body)
		})
	register(s, route{
		id: "delete-bundle", method: http.MethodDelete, path: one, action: "bundle.delete", tag: tag, status: http.StatusNoContent,
		summary: "Delete a bundle; its version name stays taken",
	},
		func(c *call, in *deleteBundleInput, _ none) (none, error) {
			return none{}, s.deps.Control.DeleteBundle(c, c.actor, in.App, in.Version, in.Force)
		})
	register(s, route{
		id: "get-bundle-tree", method: http.MethodGet, path: one + "/tree", action: "bundle.get", tag: tag,
		summary: "List the plain files of a bundle",
	},
		func(c *call, in *bundleInput, _ none) (list[ota.TreeFile], error) {
			files, err := s.deps.Control.BundleTree(c, in.App, in.Version)
			return listOf(files, "", err)
		})
	register(s, route{
		id: "get-variant", method: http.MethodGet, path: one + "/variants/{key}", action: "bundle.get", tag: tag,
		summary: "Get a bundle's variant for a key, with its files",
	},
		func(c *call, in *variantInput, _ none) (ota.Variant, error) {
			key := in.Key
			if key == plainVariant {
				key = ""
			}
			return s.deps.Control.VariantFiles(c, in.App, in.Version, key)
		})
}

// createdIf sets the status of answers that say whether something new came to be.
func (c *call) createdIf(created bool) {
	c.status = http.StatusOK
	if created {
		c.status = http.StatusCreated
	}
}
