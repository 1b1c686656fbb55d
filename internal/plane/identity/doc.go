// Package identity knows how people prove who they are: one-time links to
// enrol with, passkeys, passwords with TOTP, recovery codes, single sign-on,
// sessions, step-up, and lock-out with back-off.
//
// It must never decide what somebody may do, answer so that a stranger learns
// whether a user exists, keep a secret readable that it only compares, store
// anything before the last step of a ceremony, or know HTTP.
//
// Passwords are Argon2id in PHC form (32 MiB, 3 passes, 1 lane, 16 bytes of
// salt, 32 of hash); at most two are computed at a time, so sign-ins never take
// more than 64 MiB. Secrets that must be read again (TOTP secrets, client
// secrets of single sign-on, the state of a ceremony in the browser's hands) are
// sealed with AES-256-GCM under a key of the server's own; all others are
// stored as SHA-256 of 128 or more random bits.
package identity
