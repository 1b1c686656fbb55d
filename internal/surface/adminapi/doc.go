// Package adminapi is the API for people, scripts and the command line:
// /api/v1, described by the OpenAPI document at /api/openapi.json. It parses a
// request strictly, asks whether the caller may, calls the control plane and
// renders what came back.
//
// It must never hold a rule of the product, reach into storage, or register an
// operation that does not ask [Access].
package adminapi
