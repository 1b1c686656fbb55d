package auth

import (
	"encoding/json"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Options is the answer of GET /auth/options.
type Options struct {
	Setup     bool       `json:"setup"`
	SignedIn  bool       `json:"signed_in"`
	Passkeys  bool       `json:"passkeys"`
	Providers []Provider `json:"providers"`
}

// Provider is one button for single sign-on.
type Provider struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Done is the answer of a ceremony that ended in a session.
type Done struct {
	Next              string   `json:"next"`
	User              ota.User `json:"user"`
	RecoveryCodes     []string `json:"recovery_codes,omitempty"`      // of an enrolment; shown once
	RecoveryCodesLeft *int     `json:"recovery_codes_left,omitempty"` // after one was used
}

// Link is the answer of POST /auth/{link}.
type Link struct {
	Kind      string      `json:"kind"` // setup, invite or reset
	Email     string      `json:"email"`
	Name      string      `json:"name"`
	InvitedBy string      `json:"invited_by"`
	Grants    []ota.Grant `json:"grants"`
	ExpiresAt int64       `json:"expires_at"`
}

// SessionAnswer is the answer of GET /auth/session.
type SessionAnswer struct {
	User      ota.User          `json:"user"`
	Session   ota.Session       `json:"session"`
	Principal ota.Principal     `json:"principal"`
	Methods   ota.SignInMethods `json:"methods"`
}

// secondFactor is the answer to a right password.
type secondFactor struct {
	SecondFactor bool `json:"second_factor"`
}

// totpAnswer is what an authenticator app needs during an enrolment.
type totpAnswer struct {
	Secret string `json:"secret"`
	URL    string `json:"url"`
	QR     string `json:"qr"`
}

// The bodies of requests. A form has the same names.
type (
	emptyRequest  struct{}
	finishRequest struct {
		Credential json.RawMessage `json:"credential"`
		Next       string          `json:"next"`
	}
	passwordRequest struct {
		Email    string `json:"email"`
		Password string `json:"password"`
		Next     string `json:"next"`
	}
	codeRequest struct {
		Code  string `json:"code"`
		Email string `json:"email"` // of recovery only
		Next  string `json:"next"`
	}
	signOutRequest struct {
		Next string `json:"next"`
	}
	linkRequest struct {
		Token       string          `json:"token"`
		Email       string          `json:"email"`
		Name        string          `json:"name"`
		Password    string          `json:"password"`
		Code        string          `json:"code"`
		Credential  json.RawMessage `json:"credential"`
		PasskeyName string          `json:"passkey_name"`
		Next        string          `json:"next"`
	}
	addPasskeyRequest struct {
		Credential json.RawMessage `json:"credential"`
		Name       string          `json:"name"`
	}
)
