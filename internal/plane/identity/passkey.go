package identity

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// person is a user as the WebAuthn library wants one.
type person struct {
	handle      []byte
	name, shown string
	credentials []webauthn.Credential
}

func (p *person) WebAuthnID() []byte                         { return p.handle }
func (p *person) WebAuthnName() string                       { return p.name }
func (p *person) WebAuthnDisplayName() string                { return p.shown }
func (p *person) WebAuthnCredentials() []webauthn.Credential { return p.credentials }

const (
	handleLen   = 32
	maxResponse = 64 << 10 // bytes of an authenticator's answer
	maxPasskeys = 20       // of a user
)

// relyingParty is what an authenticator's answer for a site is checked against:
// exactly one origin, no frames, and always a PIN or biometric.
func relyingParty(at site) (*webauthn.WebAuthn, error) {
	w, err := webauthn.New(&webauthn.Config{
		RPID: at.rpID, RPDisplayName: "Waxwing", RPOrigins: []string{at.origin},
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementRequired, RequireResidentKey: protocol.ResidentKeyRequired(),
			UserVerification: protocol.VerificationRequired,
		},
	})
	if err != nil {
		return nil, noPasskeys()
	}
	return w, nil
}

// beginRegistration returns what navigator.credentials.create takes, and the
// challenge.
func beginRegistration(at site, who *person) (options json.RawMessage, challenge string, err error) {
	w, err := relyingParty(at)
	if err != nil {
		return nil, "", err
	}
	exclude := make([]protocol.CredentialDescriptor, len(who.credentials))
	for i := range who.credentials {
		exclude[i] = who.credentials[i].Descriptor()
	}
	o, session, err := w.BeginRegistration(who, webauthn.WithExclusions(exclude), webauthn.WithCredentialParameters(algorithms()))
	if err != nil {
		return nil, "", fmt.Errorf("begin a registration: %w", err)
	}
	options, err = json.Marshal(o)
	if err != nil {
		return nil, "", fmt.Errorf("encode options: %w", err)
	}
	return options, session.Challenge, nil
}

// algorithms are the signatures that are taken from authenticators.
func algorithms() []protocol.CredentialParameter { return webauthn.CredentialParametersRecommendedL3() }

// finishRegistration checks the answer and returns the credential.
func finishRegistration(at site, who *person, challenge string, answer []byte) (*webauthn.Credential, error) {
	w, err := relyingParty(at)
	if err != nil {
		return nil, err
	}
	if len(answer) > maxResponse {
		return nil, errPasskey(errors.New("answer too long"))
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(answer)
	if err != nil {
		return nil, errPasskey(err)
	}
	c, err := w.CreateCredential(who, webauthn.SessionData{
		Challenge: challenge, RelyingPartyID: at.rpID, UserID: who.handle,
		UserVerification: protocol.VerificationRequired, CredParams: algorithms(),
	}, parsed)
	if err != nil {
		return nil, errPasskey(err)
	}
	return c, nil
}

func errPasskey(err error) error {
	return ota.Invalid(CodePasskeyFailed, "the browser's answer about the passkey is not right").WithField("credential").WithCause(err).
		WithHint("start over; the page must be open at the address it was made for")
}

// newPasskey makes the row of a credential.
func (s *Service) newPasskey(at site, handle []byte, name string, c *webauthn.Credential) (Passkey, error) {
	data, err := json.Marshal(c)
	if err != nil {
		return Passkey{}, fmt.Errorf("encode a credential: %w", err)
	}
	if name == "" {
		name = "Passkey"
	}
	name, err = nameOf(name, "name", 60)
	return Passkey{
		Passkey: ota.Passkey{Name: name, CreatedAt: s.nowMS(), Synced: c.Flags.BackupEligible},
		Handle:  handle, CredentialID: c.ID, RPID: at.rpID, Origin: at.origin, Data: data,
	}, err
}

// beginAssertion returns what navigator.credentials.get takes. With a nil
// person the authenticator says who it is; a nil challenge is drawn.
func beginAssertion(at site, who *person, challenge []byte) (options json.RawMessage, drawn string, err error) {
	w, err := relyingParty(at)
	if err != nil {
		return nil, "", err
	}
	opts := []webauthn.LoginOption{webauthn.WithUserVerification(protocol.VerificationRequired)}
	if challenge != nil {
		opts = append(opts, webauthn.WithChallenge(challenge))
	}
	var o *protocol.CredentialAssertion
	var session *webauthn.SessionData
	if who == nil {
		o, session, err = w.BeginDiscoverableLogin(opts...)
	} else {
		o, session, err = w.BeginLogin(who, opts...)
	}
	if err != nil {
		return nil, "", fmt.Errorf("begin an assertion: %w", err)
	}
	options, err = json.Marshal(o)
	if err != nil {
		return nil, "", fmt.Errorf("encode options: %w", err)
	}
	return options, session.Challenge, nil
}

// assertionOf is a checked answer: the passkey that signed, with its new counter.
type assertionOf struct {
	key  Passkey
	data []byte // of the credential, to be stored
}

// errCloned: the counter of a passkey went back, so there may be two of it.
var errCloned = errors.New("the passkey's counter went back: it may have been copied")

// finishAssertion checks an answer at the site against the challenge. user is
// whose it must be, 0 = whoever it says.
func (s *Service) finishAssertion(ctx context.Context, at site, user int64, challenge string, answer []byte) (out assertionOf, err error) {
	w, err := relyingParty(at)
	if err != nil {
		return out, err
	}
	if len(answer) > maxResponse {
		return out, errPasskey(errors.New("answer too long"))
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(answer)
	if err != nil {
		return out, errPasskey(err)
	}
	out.key, err = s.store.PasskeyByCredential(ctx, parsed.RawID)
	if err != nil {
		if ota.KindOf(err) == ota.KindNotFound {
			err = errPasskey(err)
		}
		return out, err
	}
	if (user != 0 && out.key.UserID != user) || out.key.RPID != at.rpID {
		return out, errPasskey(errors.New("a passkey of somebody else, or of another site"))
	}
	var c webauthn.Credential
	if err := json.Unmarshal(out.key.Data, &c); err != nil {
		return out, ota.Errorf(ota.KindInternal, "passkey_damaged", "a passkey in the database is damaged").WithCause(err)
	}
	who := &person{handle: out.key.Handle, credentials: []webauthn.Credential{c}}
	fresh, err := w.ValidateLogin(who, webauthn.SessionData{
		Challenge: challenge, RelyingPartyID: at.rpID, UserID: out.key.Handle, UserVerification: protocol.VerificationRequired,
	}, parsed)
	if err != nil {
		return out, errPasskey(err)
	}
	if user == 0 && len(parsed.Response.UserHandle) == 0 {
		return out, errPasskey(errors.New("no user handle"))
	}
	if fresh.Authenticator.CloneWarning {
		return out, errPasskey(errCloned)
	}
	out.data, err = json.Marshal(fresh)
	return out, err
}

// personOf is a user with the passkeys of a site.
func (s *Service) personOf(ctx context.Context, u ota.User, at site) (*person, error) {
	keys, err := s.store.Passkeys(ctx, u.ID)
	if err != nil {
		return nil, err
	}
	p := &person{name: u.Email, shown: u.Name}
	for _, k := range keys {
		if k.RPID != at.rpID {
			continue
		}
		var c webauthn.Credential
		if err := json.Unmarshal(k.Data, &c); err != nil {
			return nil, ota.Errorf(ota.KindInternal, "passkey_damaged", "a passkey in the database is damaged").WithCause(err)
		}
		p.handle, p.credentials = k.Handle, append(p.credentials, c)
	}
	return p, nil
}
