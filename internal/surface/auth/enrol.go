package auth

import (
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/identity"
	"github.com/waxwing-ota/waxwing/internal/secret"
)

// route is a route of the table.
type route = func(c *call) (any, error)

func (r *linkRequest) enrolment(kind identity.LinkKind) identity.Enrolment {
	return identity.Enrolment{Kind: kind, Token: secret.New(r.Token), Email: r.Email, Name: r.Name}
}

func (h *handler) link(kind identity.LinkKind) route {
	return func(c *call) (any, error) {
		var in linkRequest
		if err := c.read(&in); err != nil {
			return nil, err
		}
		l, err := h.id.OpenLink(c.r.Context(), kind, secret.New(in.Token))
		if err != nil {
			return nil, err
		}
		out := Link{Kind: string(l.Kind), Email: l.Email, Grants: l.Grants, ExpiresAt: l.ExpiresAt, InvitedBy: h.id.LinkMaker(c.r.Context(), l)}
		if l.UserID != 0 {
			u, err := h.id.User(c.r.Context(), l.UserID)
			if err != nil {
				return nil, err
			}
			out.Name = u.Name
		}
		if out.Grants == nil {
			out.Grants = []ota.Grant{}
		}
		return out, nil
	}
}

func (h *handler) enrolPasskeyBegin(kind identity.LinkKind) route {
	return func(c *call) (any, error) {
		var in linkRequest
		if err := c.read(&in); err != nil {
			return nil, err
		}
		return c.begun(h.id.BeginEnrolPasskey(c.r.Context(), c.client(), in.enrolment(kind)))
	}
}

func (h *handler) enrolPasskeyFinish(kind identity.LinkKind) route {
	return func(c *call) (any, error) {
		var in linkRequest
		if err := c.read(&in); err != nil {
			return nil, err
		}
		s, err := h.id.FinishEnrolPasskey(c.r.Context(), c.client(), in.enrolment(kind), c.flow(), in.Credential, in.PasskeyName)
		if err != nil {
			return nil, err
		}
		return c.enter(s, in.Next), nil
	}
}

func (h *handler) enrolPassword(kind identity.LinkKind) route {
	return func(c *call) (any, error) {
		var in linkRequest
		if err := c.read(&in); err != nil {
			return nil, err
		}
		setup, state, err := h.id.BeginEnrolPassword(c.r.Context(), in.enrolment(kind), secret.New(in.Password))
		if err != nil {
			return nil, err
		}
		c.setFlow(state)
		return totpAnswer{Secret: setup.Secret, URL: setup.URL, QR: setup.QR}, nil
	}
}

func (h *handler) enrolTOTP(kind identity.LinkKind) route {
	return func(c *call) (any, error) {
		var in linkRequest
		if err := c.read(&in); err != nil {
			return nil, err
		}
		s, err := h.id.FinishEnrolPassword(c.r.Context(), c.client(), in.enrolment(kind), c.flow(), in.Code)
		if err != nil {
			return nil, err
		}
		return c.enter(s, in.Next), nil
	}
}
