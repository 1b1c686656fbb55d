// Package token is the one door for the credentials of machines: API tokens,
// and trusted publishers, whose CI runs exchange an ID token of their build
// system for a token of minutes. It finds who a secret is, with what the owner
// of the secret holds at that moment.
//
// It must never keep, log or return a secret but in the answer that makes it,
// never make a token that can do more than its maker, never contact an issuer
// that no trusted publisher names, and never know HTTP or SQL.
package token
