// Package httpx holds what every HTTP surface for people says alike.
//
// It must never know a route, a plane or a page.
package httpx

import (
	"net/http"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Status is the one switch from kinds of errors to HTTP statuses.
func Status(k ota.Kind) int {
	switch k {
	case ota.KindInvalid:
		return http.StatusBadRequest
	case ota.KindNotFound:
		return http.StatusNotFound
	case ota.KindConflict:
		return http.StatusConflict
	case ota.KindUnauthorized:
		return http.StatusUnauthorized
	case ota.KindForbidden:
		return http.StatusForbidden
	case ota.KindTooLarge:
		return http.StatusRequestEntityTooLarge
	case ota.KindUnavailable:
		return http.StatusServiceUnavailable
	case ota.KindInternal:
	}
	return http.StatusInternalServerError
}
