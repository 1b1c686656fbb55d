package auth

import (
	"encoding/json"
	"net/http"
	"net/url"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/identity"
	"github.com/waxwing-ota/waxwing/internal/secret"
)

func (h *handler) options(c *call) (any, error) {
	ctx := c.r.Context()
	setup, err := h.id.NeedsSetup(ctx)
	if err != nil {
		return nil, err
	}
	providers, err := h.id.Providers(ctx)
	if err != nil {
		return nil, err
	}
	_, _, err = c.signedIn()
	o := Options{Setup: setup, SignedIn: err == nil, Passkeys: identity.PasskeysAt(c.base), Providers: []Provider{}}
	for _, p := range providers {
		o.Providers = append(o.Providers, Provider{ID: p.ID, Name: p.Name})
	}
	return o, nil
}

func (h *handler) session(c *call) (any, error) {
	p, s, err := c.signedIn()
	if err != nil {
		return nil, err
	}
	u, err := h.id.User(c.r.Context(), p.Person)
	if err != nil {
		return nil, err
	}
	m, err := h.id.Methods(c.r.Context(), p.Person)
	return SessionAnswer{User: u, Session: s, Principal: p, Methods: m}, err
}

// begun keeps the state of a ceremony and answers with its options.
func (c *call) begun(options json.RawMessage, state secret.Text, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	c.setFlow(state)
	return options, nil
}

func (h *handler) passkeyBegin(c *call) (any, error) {
	var in emptyRequest
	if err := c.read(&in); err != nil {
		return nil, err
	}
	return c.begun(h.id.BeginPasskey(c.client()))
}

func (h *handler) passkeyFinish(c *call) (any, error) {
	var in finishRequest
	if err := c.read(&in); err != nil {
		return nil, err
	}
	s, err := h.id.FinishPasskey(c.r.Context(), c.client(), c.flow(), in.Credential)
	if err != nil {
		return nil, err
	}
	return c.enter(s, in.Next), nil
}

func (h *handler) password(c *call) (any, error) {
	var in passwordRequest
	if err := c.read(&in); err != nil {
		return nil, err
	}
	next := c.goTo(in.Next)
	state, err := h.id.CheckPassword(c.r.Context(), c.client(), in.Email, secret.New(in.Password))
	if err != nil {
		return nil, err
	}
	c.setFlow(state)
	if c.to = pageCode; next != pageHome {
		c.to += "?" + url.Values{"next": {next}}.Encode()
	}
	return secondFactor{true}, nil
}

func (h *handler) totp(c *call) (any, error) {
	var in struct {
		Code string `json:"code"`
		Next string `json:"next"`
	}
	if err := c.read(&in); err != nil {
		return nil, err
	}
	c.goTo(in.Next)
	s, err := h.id.FinishTOTP(c.r.Context(), c.client(), c.flow(), in.Code)
	if err != nil {
		return nil, err
	}
	return c.enter(s, in.Next), nil
}

func (h *handler) recovery(c *call) (any, error) {
	var in codeRequest
	if err := c.read(&in); err != nil {
		return nil, err
	}
	c.goTo(in.Next)
	state := c.flow()
	if in.Email != "" {
		state = secret.Text{}
	}
	s, err := h.id.Recover(c.r.Context(), c.client(), state, in.Email, in.Code)
	if err != nil {
		return nil, err
	}
	d := c.enter(s, in.Next)
	d.RecoveryCodesLeft = &s.RecoveryLeft
	return d, nil
}

func (h *handler) signOut(c *call) (any, error) {
	var in signOutRequest
	if err := c.read(&in); err != nil {
		return nil, err
	}
	if err := h.id.SignOut(c.r.Context(), secret.New(SessionSecret(c.r, c.base))); err != nil {
		return nil, err
	}
	setCookie(c.w, c.base, "", "", 0)
	setCookie(c.w, c.base, flowSuffix, "", 0)
	if c.to = pageSignIn; in.Next != "" {
		c.goTo(in.Next)
	}
	return emptyRequest{}, nil
}

func (h *handler) ssoStart(c *call) (any, error) {
	if !confidential(c.base) {
		c.to = withError(pageSignIn, "https_required", "")
		return nil, nil
	}
	next := localPath(c.r.URL.Query().Get("next"))
	to, state, err := h.id.BeginSSO(c.r.Context(), c.client(), c.r.PathValue("provider"), next)
	if err != nil {
		return h.ssoFailed(c, err)
	}
	c.setFlow(state)
	c.to = to
	return nil, nil
}

func (h *handler) ssoCallback(c *call) (any, error) {
	q := c.r.URL.Query()
	s, next, err := h.id.FinishSSO(c.r.Context(), c.client(), c.r.PathValue("provider"), c.flow(), identity.Callback{
		Code: q.Get("code"), State: q.Get("state"), Error: q.Get("error"), Issuer: q.Get("iss"),
	})
	if err != nil {
		return h.ssoFailed(c, err)
	}
	c.enter(s, next)
	return nil, nil
}

// ssoFailed leads back to the sign-in page: there is no script that could read
// an error.
func (h *handler) ssoFailed(c *call, err error) (any, error) {
	code := ota.CodeOf(err)
	h.log.Warn("single sign-on failed", "err", err.Error(), "request", ota.RequestOf(c.r.Context()))
	if ota.KindOf(err) == ota.KindInternal {
		code = "internal"
	}
	c.to = withError(pageSignIn, code, "")
	return nil, nil
}

func (h *handler) stepUp(c *call) (any, error) {
	var in struct {
		Code string `json:"code"`
		Next string `json:"next"`
	}
	if err := c.read(&in); err != nil {
		return nil, err
	}
	c.goTo(in.Next)
	p, _, err := c.signedIn()
	if err != nil {
		return nil, err
	}
	s, err := h.id.StepUpTOTP(c.r.Context(), c.client(), p, in.Code)
	if err != nil {
		return nil, err
	}
	return c.enter(s, in.Next), nil
}

func (h *handler) stepUpBegin(c *call) (any, error) {
	var in emptyRequest
	if err := c.read(&in); err != nil {
		return nil, err
	}
	p, _, err := c.signedIn()
	if err != nil {
		return nil, err
	}
	return c.begun(h.id.BeginStepUp(c.r.Context(), c.client(), p))
}

func (h *handler) stepUpFinish(c *call) (any, error) {
	var in finishRequest
	if err := c.read(&in); err != nil {
		return nil, err
	}
	p, _, err := c.signedIn()
	if err != nil {
		return nil, err
	}
	s, err := h.id.FinishStepUp(c.r.Context(), c.client(), p, c.flow(), in.Credential)
	if err != nil {
		return nil, err
	}
	return c.enter(s, in.Next), nil
}

func (h *handler) addBegin(c *call) (any, error) {
	var in emptyRequest
	if err := c.read(&in); err != nil {
		return nil, err
	}
	p, _, err := c.signedIn()
	if err != nil {
		return nil, err
	}
	return c.begun(h.id.BeginAddPasskey(c.r.Context(), c.client(), p))
}

func (h *handler) addFinish(c *call) (any, error) {
	var in addPasskeyRequest
	if err := c.read(&in); err != nil {
		return nil, err
	}
	p, _, err := c.signedIn()
	if err != nil {
		return nil, err
	}
	k, err := h.id.FinishAddPasskey(c.r.Context(), c.client(), p, c.flow(), in.Credential, in.Name)
	if err != nil {
		return nil, err
	}
	setCookie(c.w, c.base, flowSuffix, "", 0)
	c.status = http.StatusCreated
	return k, nil
}
