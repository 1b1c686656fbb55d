package token

import (
	"context"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Stored is a token as it is kept, without its hashes.
type Stored struct {
	ota.Token
	Previous bool // it was found by the secret before the last rotation
	Gone     bool // its owner no longer exists
	Disabled bool // its owner may not sign in
}

// Account is a service account as tokens see it.
type Account struct {
	ID       int64
	Disabled bool
}

// Reader is what can be read, within a transaction or outside. What is not
// there is an error of KindNotFound.
type Reader interface {
	Token(ctx context.Context, id int64) (ota.Token, error)
	// TokenByHash finds a token by its secret or the one before its last rotation.
	TokenByHash(ctx context.Context, hash ota.Digest) (Stored, error)
	TokenNamed(ctx context.Context, o ota.TokenOwner, name string) (ota.Token, error)
	// Tokens lists those of an owner, newest first; nil = of everybody but CI runs.
	Tokens(ctx context.Context, owner *ota.TokenOwner, p ota.Page) ([]ota.Token, string, error)
	HasTokens(ctx context.Context) (bool, error)
	// OtherWayIn reports whether somebody could still act as an owner at the
	// time without the token: a user, or an unlimited token of nobody.
	OtherWayIn(ctx context.Context, withoutToken, at int64) (bool, error)

	// TokenAccount finds a service account by name.
	TokenAccount(ctx context.Context, org, name string) (Account, error)

	Publisher(ctx context.Context, id int64) (ota.TrustedPublisher, error)
	// Publishers lists those of an organisation, newest first.
	Publishers(ctx context.Context, org string, p ota.Page) ([]ota.TrustedPublisher, string, error)
	// IssuerProvider returns what the trusted publishers that name an issuer say it is.
	IssuerProvider(ctx context.Context, issuer string) (ota.CIProvider, error)
	// PublishersOf lists those for a repository of an issuer, oldest first.
	PublishersOf(ctx context.Context, issuer, repositoryID string) ([]ota.TrustedPublisher, error)
}

// Tx is a transaction that writes. Inserts return the row with its id.
type Tx interface {
	Reader

	// InsertToken fails with CodeTokenExists if the owner has one of that name.
	InsertToken(ctx context.Context, t ota.Token, hash ota.Digest) (ota.Token, error)
	// RotateToken makes hash the token's; the one it had works until t.PreviousUntil.
	RotateToken(ctx context.Context, t ota.Token, hash ota.Digest) error
	DeleteToken(ctx context.Context, id int64) error

	// InsertPublisher fails with CodePublisherExists if there is one of that name.
	InsertPublisher(ctx context.Context, p ota.TrustedPublisher) (ota.TrustedPublisher, error)
	// DeletePublisher removes it and the tokens of its runs.
	DeletePublisher(ctx context.Context, id int64) error
	TouchPublisher(ctx context.Context, id, at int64) error

	// TakeJTI notes that an ID token was used up; false = it was already.
	TakeJTI(ctx context.Context, digest ota.Digest, expiresAt int64) (bool, error)
	// PurgeExchanges forgets ID tokens and tokens of CI runs that expired before the time.
	PurgeExchanges(ctx context.Context, before int64) error
}

// Store is the database.
type Store interface {
	Reader

	// Update runs fn in a transaction and commits what it wrote together with
	// the Change it returns; one without an action means that nothing changes.
	Update(ctx context.Context, actor ota.Actor, at int64, fn func(Tx) (ota.Change, error)) error

	// TouchToken notes when and from which network a token was last used.
	TouchToken(ctx context.Context, id, at int64, from string) error
}

// Verifier checks the signature of ID tokens.
type Verifier interface {
	// Verify returns the payload of a compact JWS if the issuer signed it with
	// one of its current keys and an accepted algorithm. A bad token is
	// KindUnauthorized; an issuer that does not answer is KindUnavailable.
	Verify(ctx context.Context, issuer, raw string) ([]byte, error)
}
