package token

import (
	"net/netip"
	"slices"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// mayGive reports whether p holds a role at least as high as each of the grants,
// over all of its scope.
func mayGive(p *ota.Principal, grants []ota.Grant) bool {
	return !slices.ContainsFunc(grants, func(g ota.Grant) bool { return p.LevelIn(g.Scope) < g.Role.GrantLevel() })
}

// within reports whether inner narrows at least as much as outer; nil = not at all.
func within(outer *ota.Limits, inner ota.Limits) bool {
	if outer == nil {
		return true
	}
	if len(outer.Scopes) > 0 && (len(inner.Scopes) == 0 || slices.ContainsFunc(inner.Scopes, func(in ota.Scope) bool {
		return !slices.ContainsFunc(outer.Scopes, func(out ota.Scope) bool { return out.Contains(in) })
	})) {
		return false
	}
	return len(outer.Actions) == 0 || len(inner.Actions) > 0 && !slices.ContainsFunc(inner.Actions, func(a string) bool {
		return !slices.Contains(outer.Actions, a)
	})
}

// networksWithin reports whether every network of inner lies in one of outer;
// none means all there are.
func networksWithin(outer, inner []string) bool {
	if len(outer) == 0 {
		return true
	}
	return len(inner) > 0 && !slices.ContainsFunc(inner, func(in string) bool {
		n, err := netip.ParsePrefix(in)
		return err != nil || !slices.ContainsFunc(outer, func(out string) bool {
			o, err := netip.ParsePrefix(out)
			return err == nil && o.Bits() <= n.Bits() && o.Contains(n.Addr())
		})
	})
}

// inNetworks reports whether a caller may come from an address that is not
// known (the zero Addr), or known. Ranges that cannot be read let nobody in.
func inNetworks(ranges []string, from netip.Addr) bool {
	if len(ranges) == 0 {
		return true
	}
	from = from.Unmap().WithZone("")
	return from.IsValid() && slices.ContainsFunc(ranges, func(r string) bool {
		n, err := netip.ParsePrefix(r)
		return err == nil && n.Contains(from)
	})
}

// coarse is the network of an address as it may be kept: it tells an office
// from a data centre, and not who sat where.
func coarse(from netip.Addr) string {
	from = from.Unmap().WithZone("")
	bits := 48
	if from.Is4() {
		bits = 24
	}
	n, err := from.Prefix(bits)
	if err != nil {
		return ""
	}
	return n.String()
}

// broader is the error for what would give more than its maker has.
func broader(format string, a ...any) *ota.Error {
	return ota.Errorf(ota.KindForbidden, CodeTokenBroader, format, a...)
}

// withinMaker refuses a token t that could do more than p, who makes it or
// gets to see its secret. grants is what its owner holds.
func withinMaker(p *ota.Principal, t *ota.Token, grants []ota.Grant) error {
	if !owns(p, t.Owner) && !mayGive(p, grants) {
		return broader("the owner of the token holds roles that %s does not", p.Actor()).
			WithHint("ask somebody who holds at least the same roles")
	}
	if !within(p.Limits, t.Limits) {
		return broader("the token would do more than the one that makes it").WithField("scopes").
			WithHint("limit its scopes and actions to those of your own token, or use a wider one")
	}
	if p.Token == nil {
		return nil
	}
	if !networksWithin(p.Token.IPRanges, t.IPRanges) {
		return broader("the token could be used from more networks than the one that makes it").WithField("ip_ranges").
			WithHint("limit it to networks within: %s", p.Token.IPRanges)
	}
	if last := p.Token.ExpiresAt; last != 0 && (t.ExpiresAt == 0 || t.ExpiresAt > last) {
		return broader("the token would outlive the one that makes it").WithField("expires_in").
			WithHint("ask for a shorter time, or use a token that lasts longer")
	}
	return nil
}
