package notify

import (
	"net/mail"
	"net/url"
	"slices"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/webhook"
)

// The bounds of subscriptions.
const (
	maxWebhooks  = 100 // per organisation
	maxReceivers = 20
	maxAddress   = 254 // bytes of a mail address
)

// checked completes what somebody asks for, or says why it cannot be.
func (s *Service) checked(in ota.NewWebhook) (ota.Webhook, error) {
	w := ota.Webhook{
		Org: in.Org, App: in.App, Name: in.Name, Format: in.Format, Events: in.Events, Signing: in.Signing, Enabled: true,
	}
	if w.Format == "" {
		w.Format = ota.WebhookStandard
	}
	if ota.CheckChannelName(w.Name) != nil {
		return w, ota.Invalid("name_invalid", "webhook name %q: use 1 to 64 letters, digits, '.', '_' or '-', a letter or digit first", w.Name).
			WithField("name")
	}
	if err := s.checkReceiver(&w, in.URL, in.To); err != nil {
		return w, err
	}
	if w.Events == nil {
		w.Events = []string{}
	}
	if err := webhook.CheckFilter(w.Events); err != nil {
		return w, err
	}
	switch {
	case w.Format != ota.WebhookStandard && w.Signing != "":
		return w, ota.Invalid(CodeWebhookInvalid, "only the format standard is signed").WithField("signing")
	case w.Format == ota.WebhookStandard && w.Signing == "":
		w.Signing = ota.SignHMAC
	case w.Signing != "" && w.Signing != ota.SignHMAC && w.Signing != ota.SignEd25519:
		return w, ota.Invalid(CodeWebhookInvalid, "there is no way to sign called %q", w.Signing).WithField("signing").WithHint("use hmac or ed25519")
	}
	return w, nil
}

// checkReceiver checks and sets where a subscription's messages go to.
func (s *Service) checkReceiver(w *ota.Webhook, address string, to []string) error {
	switch w.Format {
	case ota.WebhookStandard, ota.WebhookSlack:
		if len(to) > 0 {
			return ota.Invalid(CodeWebhookInvalid, "mail addresses are for the format mail").WithField("to")
		}
		if err := s.Sender.Check(address); err != nil {
			return err
		}
		w.URL = shown(w.Format, address)
	case ota.WebhookMail:
		if address != "" {
			return ota.Invalid(CodeWebhookInvalid, "the format mail has addresses in \"to\", not a URL").WithField("url")
		}
		if s.Mailer == nil {
			return ota.Errorf(ota.KindConflict, CodeMailUnavailable, "this server sends no mail").
				WithHint("its operator must set WAXWING_SMTP_URL and WAXWING_MAIL_FROM")
		}
		w.To = make([]string, 0, len(to))
		for _, a := range to {
			if err := CheckMailAddress(a); err != nil {
				return err
			}
			if !slices.Contains(w.To, a) {
				w.To = append(w.To, a)
			}
		}
		if len(w.To) == 0 || len(w.To) > maxReceivers {
			return ota.Invalid(CodeAddressInvalid, "1 to %d mail addresses are needed", maxReceivers).WithField("to")
		}
	default:
		return ota.Invalid(CodeWebhookInvalid, "there is no format %q", w.Format).WithField("format").WithHint("use standard, slack or mail")
	}
	return nil
}

// shown is what may be seen of an address: whoever knows the path of a Slack
// webhook may write to the channel, and queries tend to hold tokens.
func shown(f ota.WebhookFormat, address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	if f == ota.WebhookSlack {
		return u.Scheme + "://" + u.Host + "/..."
	}
	if u.RawQuery != "" {
		u.RawQuery = "..."
	}
	return u.String()
}

// CheckMailAddress accepts a plain address: ASCII, no display name, no comment,
// no quotes, nothing that could end a header.
func CheckMailAddress(a string) error {
	bad := func(why string) error {
		return ota.Invalid(CodeAddressInvalid, "%q is not a mail address: %s", a, why).WithField("to")
	}
	if a == "" || len(a) > maxAddress {
		return bad("its length")
	}
	if strings.ContainsFunc(a, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`"(),:;<>[]\`, r) }) {
		return bad("it has characters that are not used in addresses")
	}
	if p, err := mail.ParseAddress(a); err != nil || p.Address != a || p.Name != "" {
		return bad("it is not of the form name@example.com")
	}
	if _, domain, _ := strings.Cut(a, "@"); !strings.Contains(domain, ".") && domain != "localhost" {
		return bad("its domain is incomplete")
	}
	return nil
}
