package adminapi

import (
	"net/http"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func (s *server) registerSettings() {
	const tag = "system"
	register(s, route{
		id: "list-settings", method: http.MethodGet, path: "/settings", action: "settings.get", tag: tag,
		summary: "List how the server is set up, without any secret",
	},
		func(*call, *Request, none) (list[ota.Setting], error) { return listOf(s.deps.Settings, "", nil) })
	register(s, route{
		id: "test-mail", method: http.MethodPost, path: "/mail/test", action: "mail.test", tag: tag, status: http.StatusNoContent,
		summary: "Send a mail that shows whether mails arrive",
	},
		func(c *call, _ *Request, body ota.MailTest) (none, error) {
			return none{}, s.deps.Webhooks.TestMail(c, c.actor, body.To)
		})
}
