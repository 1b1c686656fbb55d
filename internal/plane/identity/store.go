package identity

import (
	"context"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Passkey is a stored WebAuthn credential.
type Passkey struct {
	ota.Passkey
	UserID       int64
	CredentialID []byte
	Handle       []byte // the user handle that the authenticator keeps with it
	RPID, Origin string // where it was made
	Data         []byte // webauthn.Credential as JSON
}

// Password is what a user signs in with besides passkeys: a password with a
// TOTP secret, or with PHC "" a TOTP secret alone, for step-up.
type Password struct {
	UserID    int64
	PHC       string
	TOTP      []byte // sealed
	Step      int64  // the last one whose code was taken
	ChangedAt int64
	ResetBy   int64
}

// LinkKind says what a one-time link is for.
type LinkKind string

// The kinds of links.
const (
	LinkSetup  LinkKind = "setup"
	LinkInvite LinkKind = "invite"
	LinkReset  LinkKind = "reset"
)

// EnrolLink is a stored one-time link.
type EnrolLink struct {
	ID        int64
	Kind      LinkKind
	Email     string
	UserID    int64 // reset: whose methods it resets
	Grants    []ota.Grant
	Maker     int64  // user id; -1 = the server or a token of nobody's; below that, -1 less the id of a service account
	Delivered string // [ota.DeliverLink] or [ota.DeliverMail]
	CreatedAt int64
	CreatedBy ota.Actor
	ExpiresAt int64
	UsedAt    int64
	RevokedAt int64
}

// Provider is a stored single sign-on provider.
type Provider struct {
	ota.SSOProvider
	Secret []byte // the client secret, sealed
}

// Assertion is a challenge that waits for its answer.
type Assertion struct {
	Nonce     []byte
	Origin    string
	ExpiresAt int64
}

// Reader is what can be read, within a transaction or outside. What is not
// there is an error of KindNotFound.
type Reader interface {
	User(ctx context.Context, id int64) (ota.User, error)
	UserByEmail(ctx context.Context, email string) (ota.User, error)
	AnyUser(ctx context.Context) (bool, error)
	EffectiveGrants(ctx context.Context, kind ota.SubjectKind, id int64) ([]ota.Grant, error)
	// DirectOwners are the enabled users who own the main organisation by a grant
	// to themselves.
	DirectOwners(ctx context.Context) ([]int64, error)
	Group(ctx context.Context, id int64) (ota.Group, error)

	SessionByHash(ctx context.Context, hash ota.Digest) (ota.Session, error)
	Session(ctx context.Context, id int64) (ota.Session, error)
	Sessions(ctx context.Context, userID int64) ([]ota.Session, error) // newest first
	// Place reports whether the user was there before, and whether they were anywhere.
	Place(ctx context.Context, userID int64, place string) (known, any bool, err error)

	Passkeys(ctx context.Context, userID int64) ([]Passkey, error) // newest first
	PasskeyByCredential(ctx context.Context, credentialID []byte) (Passkey, error)
	Password(ctx context.Context, userID int64) (Password, error)
	RecoveryCodes(ctx context.Context, userID int64) (int, error) // that are left

	EnrolLink(ctx context.Context, kind LinkKind, id int64) (EnrolLink, error)
	EnrolLinkByHash(ctx context.Context, hash ota.Digest) (EnrolLink, error)
	EnrolLinks(ctx context.Context, kind LinkKind, p ota.Page) ([]EnrolLink, string, error)
	// OpenInvitations lists those of a mail address that are neither used nor revoked.
	OpenInvitations(ctx context.Context, email string) ([]EnrolLink, error)

	SSOProvider(ctx context.Context, id string) (Provider, error)
	SSOProviders(ctx context.Context) ([]Provider, error) // by id
	SSOSubject(ctx context.Context, provider, subject string) (userID int64, err error)
	SSOOf(ctx context.Context, userID int64) ([]string, error) // providers the user is linked with
	// MembershipsFrom lists the groups that a source put the user into.
	MembershipsFrom(ctx context.Context, userID int64, source string) ([]int64, error)
}

// Tx is a transaction that writes. Inserts return the row with its id.
type Tx interface {
	Reader

	InsertUser(ctx context.Context, u ota.User) (ota.User, error)
	TouchUser(ctx context.Context, id, at int64) error
	InsertGrant(ctx context.Context, g ota.RoleGrant) (ota.RoleGrant, error)
	AddMember(ctx context.Context, groupID, userID int64, source string) error
	RemoveMember(ctx context.Context, groupID, userID int64) error

	InsertSession(ctx context.Context, s ota.Session, hash ota.Digest) (ota.Session, error)
	// RenewSession gives the session a new secret and proof.
	RenewSession(ctx context.Context, id int64, hash ota.Digest, strongAt int64) error
	// DeleteSessions ends those of the user, but not the one named; 0 = all.
	DeleteSessions(ctx context.Context, userID, but int64) (int64, error)
	DeleteSession(ctx context.Context, id int64) error
	// PurgeSessions removes what ended by itself: unused since idle, or made before old.
	PurgeSessions(ctx context.Context, idle, old int64) error
	NotePlace(ctx context.Context, userID int64, place string, at int64) error
	// UseFlow marks a ceremony as ended; used = it was so already. Marks that
	// expired before now go.
	UseFlow(ctx context.Context, hash ota.Digest, expires, now int64) (used bool, err error)

	InsertPasskey(ctx context.Context, k Passkey) (Passkey, error)
	RenamePasskey(ctx context.Context, id int64, name string) error
	SavePasskey(ctx context.Context, id int64, data []byte, at int64) error
	DeletePasskey(ctx context.Context, id int64) error
	DeletePasskeys(ctx context.Context, userID int64) error
	PutPassword(ctx context.Context, p Password) error
	DeletePassword(ctx context.Context, userID int64) error
	// TakeTOTP notes the step of a code; false = that or a later one was taken.
	TakeTOTP(ctx context.Context, userID, step int64) (bool, error)
	PutRecoveryCodes(ctx context.Context, userID int64, hashes []ota.Digest) error
	// TakeRecoveryCode removes a code; false = there is none such.
	TakeRecoveryCode(ctx context.Context, userID int64, hash ota.Digest) (bool, error)

	InsertEnrolLink(ctx context.Context, l EnrolLink, hash ota.Digest) (EnrolLink, error)
	// UseEnrolLink marks it as used; false = it was used, revoked or has expired.
	UseEnrolLink(ctx context.Context, id, at int64) (bool, error)
	// RevokeEnrolLinks revokes the open ones of a kind, of a user or mail address
	// unless both are empty.
	RevokeEnrolLinks(ctx context.Context, kind LinkKind, userID int64, email string, at int64) error
	RevokeEnrolLink(ctx context.Context, id, at int64) error

	InsertSSOProvider(ctx context.Context, p Provider) error
	UpdateSSOProvider(ctx context.Context, p Provider) error
	DeleteSSOProvider(ctx context.Context, id string) error
	LinkSSO(ctx context.Context, provider, subject string, userID int64) error

	PutAssertion(ctx context.Context, userID int64, digest ota.Digest, a Assertion) error
	// TakeAssertion removes and returns the challenge.
	TakeAssertion(ctx context.Context, userID int64, digest ota.Digest) (Assertion, error)
}

// Store is the database.
type Store interface {
	Reader

	// Update runs fn in a transaction and commits what it wrote together with
	// the Change it returns. A Change without an action: nothing is written.
	Update(ctx context.Context, actor ota.Actor, at int64, fn func(Tx) (ota.Change, error)) error
	// Note is Update for what is not an act of anybody and leaves no record: a
	// session was seen, a challenge waits.
	Note(ctx context.Context, fn func(Tx) error) error
	TouchSession(ctx context.Context, id, at int64) error
}
