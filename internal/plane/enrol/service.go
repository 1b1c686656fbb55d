package enrol

import (
	"context"
	"io"
	"log/slog"
	"net/netip"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
)

// actor is who the record of changes names for what the server does by itself.
const actor ota.Actor = "system/enrol"

// Verifier checks the signature of an ID token against the keys its issuer
// publishes, and returns the payload.
type Verifier interface {
	Verify(ctx context.Context, issuer, raw string) (payload []byte, err error)
}

// Release is a manifest that devices may have now.
type Release struct {
	Version   string
	Seq       int64
	Epoch     int64    // of its content key; 0 = it is not encrypted
	Platforms []string // that it runs on; none = any
}

// Report is a signed report that counts.
type Report struct {
	Device   string
	Platform string
	Version  string
	Event    string // of core/sealed
	Reason   string
	At       int64      // Unix ms, as the device says
	Mark     ota.Digest // of the signed report: a second one with it is the same
	From     netip.Addr
}

// Deps is what a Service stands on. All fields but those that say so are required.
type Deps struct {
	Store Store
	// Authority signs the certificates and grants of an app.
	Authority func(ctx context.Context, app string) (p256.Signer, error)
	// Authorities are the keys that certificates may be signed with: those that
	// the app's devices trust.
	Authorities func(ctx context.Context, app string) ([]p256.Key, error)
	// Release finds a manifest that devices of the app may have; others are an
	// error of KindNotFound.
	Release func(ctx context.Context, app string, manifest ota.Digest) (Release, error)
	// Published finds a manifest of the app whether devices may have it or not.
	Published func(ctx context.Context, app string, manifest ota.Digest) (Release, error)
	// SealedKey returns the content key of an epoch as it was sealed to the
	// keeper: the server ("") or a broker by its name ("*" = any).
	SealedKey func(ctx context.Context, app string, epoch int64, broker string) (sealed []byte, name string, err error)
	Custody   Custody
	Verifier  Verifier // nil = no ID token can be checked
	// Ask passes a request on to a key broker; nil = brokers cannot be asked.
	Ask func(ctx context.Context, url string, body []byte) ([]byte, error)
	// Record takes reports that count.
	Record func(ctx context.Context, app string, r Report) error
	// PolicyChanged is told of a policy in force; nil = nobody wants to know.
	PolicyChanged func(ota.SealedPolicy)

	Now    func() time.Time
	Rand   io.Reader // cryptographic
	Nonces [32]byte  // what nonces are made with
	Log    *slog.Logger
}

// Service enrols devices, grants keys and takes reports. Its methods may be
// called by many goroutines; [Service.Run] must be running for counts to be kept.
type Service struct {
	Deps
	rates   rates
	counts  counts
	reports stripes
}

// New returns a Service.
func New(d Deps) *Service {
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	return &Service{Deps: d, rates: newRates(), counts: newCounts()}
}

func (s *Service) nowMS() int64 { return s.Now().UnixMilli() }

// Certificate finds a device by the digest of its newest certificate, if that is
// in force.
func (s *Service) Certificate(ctx context.Context, app string, digest ota.Digest) (Row, bool) {
	row, err := s.Store.SealedDeviceBy(ctx, app, digest)
	if err != nil || row.Revoked || row.ExpiresAt <= s.nowMS() {
		return Row{}, false
	}
	return row, true
}
