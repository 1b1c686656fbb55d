package console

import "net/http"

// policy lets a page load what this server serves and nothing else. Script may
// be written into a page by one named policy, that of htmx; see app.js.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'; " +
	"require-trusted-types-for 'script'; trusted-types waxwing; report-uri " + Prefix + "/csp-report; report-to csp"

// setHeaders sets what every answer of the console has.
func setHeaders(h http.Header, tls bool) {
	h.Set("Content-Security-Policy", policy)
	h.Set("Reporting-Endpoints", `csp="`+Prefix+`/csp-report"`)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=(), publickey-credentials-get=(self), publickey-credentials-create=(self)")
	h.Set("Cache-Control", "no-store")
	if tls {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}
