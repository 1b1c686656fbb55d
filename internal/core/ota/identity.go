package ota

// Session is one browser in which a user is signed in. Its secret is known to
// the browser only; the server keeps a hash.
type Session struct {
	ID        int64  `json:"id"`
	UserID    int64  `json:"user_id"`
	CreatedAt int64  `json:"created_at"` // signed in
	SeenAt    int64  `json:"seen_at"`    // last used, to the minute
	StrongAt  int64  `json:"strong_at"`  // last proof by passkey or second factor; 0 = none
	ExpiresAt int64  `json:"expires_at"` // ends then at the latest, sooner if it is not used
	Method    string `json:"method"`     // how they signed in: passkey, password, recovery, sso, link
	Place     string `json:"place"`      // network the address is in, such as 192.0.2.0/24
	Agent     string `json:"agent"`      // browser and system, such as "Firefox on Linux"
	Current   bool   `json:"current"`    // it is the one that asks
}

// Passkey is a WebAuthn credential as it may be shown.
type Passkey struct {
	ID        int64  `json:"id"`
	Name      string `json:"name"`
	CreatedAt int64  `json:"created_at"`
	LastUsed  int64  `json:"last_used"`
	Synced    bool   `json:"synced"`   // it may be copied between the person's devices
	ResetBy   int64  `json:"reset_by"` // see [SignInMethods]
}

// SignInMethods says how a user can sign in. ResetBy is the user whose reset
// link made the newest password or passkey, -1 for a machine's link, 0 if the
// person made them unasked: who could have used the link may have the key.
type SignInMethods struct {
	Passkeys      []Passkey `json:"passkeys" nullable:"false"`
	Password      bool      `json:"password"`
	TOTP          bool      `json:"totp"`
	RecoveryCodes int       `json:"recovery_codes"` // that are left
	SSO           []string  `json:"sso" nullable:"false"`
	ResetBy       int64     `json:"reset_by"`
}

// TOTPSetup is what an authenticator app needs; shown once.
type TOTPSetup struct {
	Secret string `json:"secret"` // base32, to type in
	URL    string `json:"url"`    // otpauth://totp/…
	QR     string `json:"qr"`     // the URL as a picture: data:image/png;base64,…
	Flow   string `json:"flow"`   // goes back with the first code; opaque, good for ten minutes
}

// How an invitation reaches the invited: as a link that is shown to who invites,
// or by mail, so that nobody but who reads the mail ever sees the link.
const (
	DeliverLink = "link"
	DeliverMail = "mail"
)

// Invitation is a link that makes somebody a user with the grants in it.
type Invitation struct {
	ID        int64   `json:"id"`
	Email     string  `json:"email"`
	Grants    []Grant `json:"grants" nullable:"false"`
	Delivered string  `json:"delivered"` // [DeliverLink] or [DeliverMail]
	CreatedAt int64   `json:"created_at"`
	CreatedBy Actor   `json:"created_by"`
	ExpiresAt int64   `json:"expires_at"`
	UsedAt    int64   `json:"used_at"`    // 0 = not yet
	RevokedAt int64   `json:"revoked_at"` // 0 = it holds
}

// NewInvitation asks for an invitation. Deliver is [DeliverLink] or
// [DeliverMail]; "" = by mail if the server can send some.
type NewInvitation struct {
	Email   string  `json:"email"`
	Grants  []Grant `json:"grants,omitempty"`
	Deliver string  `json:"deliver,omitempty"`
}

// Link is a one-time link with the secret in it; shown only this once.
type Link struct {
	URL       string `json:"url"`
	ExpiresAt int64  `json:"expires_at"`
}

// Invited is a new invitation with its link, whose URL is "" if it went by mail.
type Invited struct {
	Invitation Invitation `json:"invitation"`
	Link       Link       `json:"link"`
}

// SSOProvider is an OpenID Connect issuer that people may sign in with. Its
// client secret is stored encrypted and never shown.
type SSOProvider struct {
	ID             string           `json:"id"`     // a name for addresses, such as "okta"
	Name           string           `json:"name"`   // for the button
	Issuer         string           `json:"issuer"` // https URL
	ClientID       string           `json:"client_id"`
	Domains        []string         `json:"domains" nullable:"false"`         // of mail addresses that may sign in
	TrustedDomains []string         `json:"trusted_domains" nullable:"false"` // of those, the ones it may speak for: it signs in users who are here already
	CreateUsers    bool             `json:"create_users"`                     // people who are not here yet become users
	GroupClaim     string           `json:"group_claim"`                      // of the ID token that lists groups; "" = groups are left alone
	Groups         map[string]int64 `json:"groups" nullable:"false"`          // the issuer's group to the id of ours
	CreatedAt      int64            `json:"created_at"`
	CreatedBy      Actor            `json:"created_by"`
}

// NewSSOProvider asks for a provider.
type NewSSOProvider struct {
	ID             string           `json:"id"`
	Name           string           `json:"name,omitempty"`
	Issuer         string           `json:"issuer"`
	ClientID       string           `json:"client_id"`
	ClientSecret   string           `json:"client_secret,omitempty"`
	Domains        []string         `json:"domains"`
	TrustedDomains []string         `json:"trusted_domains,omitempty"`
	CreateUsers    bool             `json:"create_users,omitempty"`
	GroupClaim     string           `json:"group_claim,omitempty"`
	Groups         map[string]int64 `json:"groups,omitempty"`
}

// SSOProviderPatch changes a provider; nil leaves as is.
type SSOProviderPatch struct {
	Name           *string           `json:"name,omitempty"`
	ClientID       *string           `json:"client_id,omitempty"`
	ClientSecret   *string           `json:"client_secret,omitempty"`
	Domains        *[]string         `json:"domains,omitempty"`
	TrustedDomains *[]string         `json:"trusted_domains,omitempty"`
	CreateUsers    *bool             `json:"create_users,omitempty"`
	GroupClaim     *string           `json:"group_claim,omitempty"`
	Groups         *map[string]int64 `json:"groups,omitempty"`
}
