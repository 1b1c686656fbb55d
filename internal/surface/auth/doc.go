// Package auth is what a browser does to become somebody: the ceremonies of
// signing in, enrolling and stepping up under /auth/, and the session cookie.
// It parses strictly, asks plane/identity, and sets or clears cookies. Pages
// are the console's.
//
// It must never decide who may sign in, show a secret twice, put one into an
// address, answer a sign-in so that one learns whether a user exists, or
// redirect anywhere but to a path of this server (and to a single sign-on
// issuer that an administrator configured).
//
// # Conventions
//
// Requests are POST with Content-Type application/json; a body that no field is
// required of may be {}. Unknown fields are errors. Where it says "or form" the
// same names come as application/x-www-form-urlencoded, and the answer is 303:
// to next when done, to the page named when not. Errors of JSON requests are
// problem documents as the API has them (code, detail, hint, field); status 429
// with Retry-After (seconds) and code too_many_attempts means to wait.
//
// next is where to go afterwards: a path of this server such as
// "/console/apps"; anything else becomes "/console/".
//
// Requests that are not GET and come from another site are refused (403,
// cross_origin). State between the steps of a ceremony lives in the cookie
// __Host-waxwing-flow (sealed, HttpOnly, ten minutes, used once): pages have
// nothing to carry along, and a new ceremony replaces the one before.
//
// The session cookie is __Host-waxwing (Secure, HttpOnly, SameSite=Lax,
// Path=/). Over plain HTTP, which is taken only for localhost and loopback
// addresses, the cookies are named waxwing-dev and waxwing-dev-flow and are not
// Secure. [CookieName] tells which; console requests resolve with
// identity.Service.Resolve. A session ends after 12 hours without use or 7 days.
//
// publicKey below is what navigator.credentials takes after
// PublicKeyCredential.parseCreationOptionsFromJSON or
// parseRequestOptionsFromJSON; credential is what toJSON() of its result gives.
//
// # What a sign-in page needs
//
//	GET /auth/options → {"setup":false,"signed_in":false,"passkeys":true,"providers":[{"id":"okta","name":"Okta"}]}
//
// setup: there is no user yet, only the set-up link gets in. passkeys: this
// address can have passkeys at all (not if it is a bare IP address).
//
// # Signing in
//
//	POST /auth/passkey/begin   {}                          → {"publicKey":{…}}
//	POST /auth/passkey/finish  {"credential":{…},"next"?}  → done
//	POST /auth/password        {"email","password","next"?} or form → {"second_factor":true}
//	POST /auth/totp            {"code","next"?} or form    → done   (after /auth/password)
//	POST /auth/recovery        {"code","email"?,"next"?} or form → done
//	                           (after /auth/password instead of the TOTP code; or with email for
//	                           people who have no password, when the passkey is lost)
//	GET  /auth/oidc/{provider}/start?next=…                → 303 to the issuer
//	GET  /auth/oidc/{provider}/callback?code&state         → 303 to next
//	POST /auth/sign-out        {} or form                  → {} / 303 to /console/sign-in
//
// done is {"next":"/console/","user":{…}} with the session cookie set, where
// user is an ota.User; recovery adds "recovery_codes_left". Every wrong sign-in
// answers 401 sign_in_failed alike.
//
// Forms: /auth/password done → 303 /console/sign-in/code?next=…; not done → 303
// /console/sign-in?error=CODE&next=… (CODE: sign_in_failed, too_many_attempts,
// https_required …). /auth/totp and /auth/recovery not done → 303
// /console/sign-in/code?error=CODE&next=…, or to /console/sign-in if the flow is
// over (flow_expired). A failed single sign-on → 303 /console/sign-in?error=CODE.
//
// # Enrolling with a one-time link
//
// {link} is setup (first user), invite or reset (of the sign-in methods, by an
// administrator). The links are /console/{link}#TOKEN: the page takes token from
// location.hash. Nothing is used up before the last step.
//
//	POST /auth/{link}                 {"token"} → {"kind":"invite","email":"ada@example.com","name":"","invited_by":"Bob","grants":[…],"expires_at":…}
//	                                  (email and name are empty for setup: the person chooses)
//	POST /auth/{link}/passkey/begin   {"token","email"?,"name"?} → {"publicKey":{…}}
//	POST /auth/{link}/passkey/finish  {"token","credential":{…},"passkey_name"?,"next"?} → enrolled
//	POST /auth/{link}/password        {"token","email"?,"name"?,"password"} → {"secret","url","qr"}   (qr: data:image/png;base64,…)
//	POST /auth/{link}/totp            {"token","code","next"?} → enrolled
//
// email is for setup, name for setup and invite. enrolled is done with
// "recovery_codes":["xxxx-xxxx-xxxx-xxxx", ×10], shown only this once.
//
// # While signed in
//
//	GET  /auth/session                      → {"user":{…},"session":{…},"principal":{…},"methods":{…}}; 401 signed_out
//	POST /auth/step-up          {"code","next"?} or form → done     (TOTP; not done → 303 /console/step-up?error=CODE&next=…)
//	POST /auth/step-up/passkey/begin   {}                    → {"publicKey":{…}}
//	POST /auth/step-up/passkey/finish  {"credential":{…},"next"?} → done
//	POST /auth/passkeys/begin   {}                           → {"publicKey":{…}}     a further passkey
//	POST /auth/passkeys/finish  {"credential":{…},"name"}    → ota.Passkey           (201)
//
// session is an ota.Session, principal an ota.Principal, methods an
// ota.SignInMethods. Step-up gives the session a new secret; others of the
// user stay. What changes sign-in methods wants a proof of the last ten minutes
// (403 step_up_required); signing in counts as one.
//
// The rest is the API's: /api/v1/me/sign-in-methods, /me/passkeys, /me/password,
// /me/totp, /me/recovery-codes, /sessions, /users/{id}/sessions,
// /users/{id}/reset-link, /invitations, /setup-link, /sso/providers.
// Assertions over a digest, for approvals, are identity.Service.BeginAssertion
// and FinishAssertion; their options are {"publicKey":{…}} as above.
package auth
