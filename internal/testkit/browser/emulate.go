package browser

import (
	"context"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
)

// Dark makes the system prefer dark or light colours, and no motion: what fades
// from one to the other has no contrast on its way.
func (b *Browser) Dark(dark bool) {
	b.t.Helper()
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	b.Do(command(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}},
	}))
}

// Phone makes the window that of a phone, 390 pixels wide.
func (b *Browser) Phone() {
	b.t.Helper()
	b.Do(chromedp.EmulateViewport(390, 844, chromedp.EmulateScale(2), chromedp.EmulateMobile))
}

// Authenticator gives the browser a platform authenticator whose owner is always
// there and always agrees, and returns its id.
func (b *Browser) Authenticator() webauthn.AuthenticatorID {
	b.t.Helper()
	b.Do(command(webauthn.Enable, webauthn.EnableParams{}))
	return run(b, func(ctx context.Context, t *chromedp.Target) (webauthn.AuthenticatorID, error) {
		res, err := cdp.Call(ctx, t, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
			Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal,
			HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true,
		}})
		return res.AuthenticatorID, err
	})
}

// Script turns the page's own script on or off, from the next page on.
func (b *Browser) Script(on bool) {
	b.t.Helper()
	b.Do(command(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on}))
}

// Text returns the text of what a selector finds, script or not.
func (b *Browser) Text(selector string) string {
	b.t.Helper()
	return run(b, chromedp.TextContent(chromedp.CSS(selector)))
}
