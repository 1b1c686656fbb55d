package identity

import (
	"context"
	"encoding/json"
	"io"
	"net/netip"
	"time"

	"golang.org/x/crypto/argon2"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/secret"
)

// Deps is what a Service stands on. All fields but those that say so are required.
type Deps struct {
	Store Store
	Now   func() time.Time
	Rand  io.Reader // cryptographic
	Key   [32]byte  // the server's own, for what is sealed
	// MayGrant fails if the principal must not give the grant away: nobody gives
	// more than they have.
	MayGrant func(p ota.Principal, g ota.Grant) error
	// MayManage fails if the principal must not act on the user's account.
	MayManage func(ctx context.Context, p ota.Principal, userID int64) error
	// CheckGrant fails if there is no such role, or nothing at the scope.
	CheckGrant func(ctx context.Context, g ota.Grant) error
	// MayMapGroup fails if the principal must not decide who is in the group.
	MayMapGroup func(ctx context.Context, p ota.Principal, groupID int64) error
	// SSO talks to issuers.
	SSO Federation
	// Breached reports whether the SHA-1 of a password is in the list of those
	// that leaked; nil = there is no list.
	Breached func(sha1 [20]byte) (bool, error)
	// Mail sends invitations; nil = they are shown to who made them.
	Mail Mailer
	// PublicURL is the address people see, "" = that of each request.
	PublicURL string
}

// Mailer sends an invitation's link. It must not keep it.
type Mailer interface {
	SendInvitation(ctx context.Context, to string, url secret.Text, expires time.Time) error
}

// Service is how people prove who they are. Its methods may be called by many
// goroutines.
type Service struct {
	store     Store
	now       func() time.Time
	rand      io.Reader
	box       *box
	may       Deps // its functions about who may
	sso       Federation
	breached  func(sha1 [20]byte) (bool, error)
	mail      Mailer
	publicURL string

	// derive is Argon2id; tests count its calls.
	derive  func(password, salt []byte, time, memory uint32, threads uint8, keyLen uint32) []byte
	hashing chan struct{} // one slot per password hash that may be computed at a time
	limits  *limiter
}

// parallelHashes bounds the memory that passwords take: each hash needs 32 MiB.
const parallelHashes = 2

// New returns a Service.
func New(d Deps) (*Service, error) {
	b, err := newBox(d.Key, d.Rand)
	if err != nil {
		return nil, err
	}
	return &Service{
		store: d.Store, now: d.Now, rand: d.Rand, box: b, may: d, sso: d.SSO, breached: d.Breached, mail: d.Mail,
		publicURL: d.PublicURL, hashing: make(chan struct{}, parallelHashes), derive: argon2.IDKey, limits: newLimiter(),
	}, nil
}

func (s *Service) nowMS() int64 { return s.now().UnixMilli() }

// Client is where a request of a browser comes from.
type Client struct {
	Addr  netip.Addr // zero = unknown
	Agent string     // User-Agent, as sent
	Base  string     // scheme, host and path that the browser sees the server at
	// Old is the secret of the session the browser had; it ends at a sign-in.
	Old secret.Text
}

// change builds the record of a change.
func change(action, object string, detail any) ota.Change {
	b, err := json.Marshal(detail)
	if err != nil || string(b) == "null" {
		b = []byte("{}")
	}
	return ota.Change{Action: action, Object: object, Org: ota.MainOrg, Detail: string(b)}
}

// fields is the detail of a change.
type fields map[string]any

func userActor(email string) ota.Actor { return ota.Actor("user:" + email) }
