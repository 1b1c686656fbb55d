package identity

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/secret"
)

// flow is the state of a ceremony between two requests. The browser keeps it,
// sealed, so that strangers who begin ceremonies cost the server nothing.
type flow struct {
	Kind    string `json:"k"`
	Nonce   []byte `json:"n"` // names the ceremony, so that it ends once
	Expires int64  `json:"x"`

	User      int64  `json:"u,omitempty"`
	Session   int64  `json:"s,omitempty"`
	Challenge string `json:"c,omitempty"`
	Handle    []byte `json:"h,omitempty"`
	Link      int64  `json:"l,omitempty"`
	Email     string `json:"e,omitempty"`
	Name      string `json:"m,omitempty"`
	PHC       string `json:"p,omitempty"`
	TOTP      string `json:"t,omitempty"`
	Provider  string `json:"o,omitempty"`
	State     string `json:"st,omitempty"`
	OIDCNonce string `json:"on,omitempty"`
	Verifier  string `json:"v,omitempty"`
	Next      string `json:"to,omitempty"`
}

// flowTime is how long a ceremony may take.
const flowTime = 10 * time.Minute

const maxFlow = 4096 // bytes of a sealed flow; browsers keep no longer cookie

func (s *Service) sealFlow(f flow) (secret.Text, error) {
	nonce, err := s.random(16)
	if err != nil {
		return secret.Text{}, err
	}
	f.Nonce, f.Expires = nonce, s.now().Add(flowTime).UnixMilli()
	plain, err := json.Marshal(f)
	if err != nil {
		return secret.Text{}, fmt.Errorf("encode a flow: %w", err)
	}
	sealed, err := s.box.seal("flow/"+f.Kind, plain)
	if err != nil {
		return secret.Text{}, err
	}
	return secret.New(base64.RawURLEncoding.EncodeToString(sealed)), nil
}

// openFlow reads a flow of the kind; whatever is wrong with it, it is over.
func (s *Service) openFlow(kind string, text secret.Text) (f flow, err error) {
	t := text.Reveal()
	sealed, err := base64.RawURLEncoding.DecodeString(t)
	if err != nil || t == "" || len(t) > maxFlow {
		return f, errFlow()
	}
	plain, err := s.box.open("flow/"+kind, sealed)
	if err != nil {
		return f, errFlow()
	}
	if err := json.Unmarshal(plain, &f); err != nil || f.Kind != kind || s.nowMS() >= f.Expires {
		return f, errFlow()
	}
	return f, nil
}

// endFlow marks the flow as done within the transaction of what it led to.
func (s *Service) endFlow(ctx context.Context, tx Tx, f flow) error {
	used, err := tx.UseFlow(ctx, ota.Sum(f.Nonce), f.Expires, s.nowMS())
	if err == nil && used {
		return errFlow()
	}
	return err
}
