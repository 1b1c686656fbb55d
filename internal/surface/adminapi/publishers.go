package adminapi

import (
	"net/http"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// maxExchange bounds the body of an exchange in bytes: an ID token and a name.
const maxExchange = 20 << 10

type publisherInput struct {
	Request
	ID int64 `path:"id" minimum:"1"`
}

type publishersInput struct {
	Request
	PageParams
	Org string `query:"org" maxLength:"64" doc:"organisation; empty = main"`
}

func (s *server) registerPublishers() {
	const tag = "trusted publishers"
	register(s, route{
		id: "list-trusted-publishers", method: http.MethodGet, path: "/trusted-publishers", action: "trusted_publisher.list", tag: tag,
		summary: "List the CI runs that may exchange their ID token for one of ours",
	},
		func(c *call, in *publishersInput, _ none) (list[ota.TrustedPublisher], error) {
			return listOf(s.deps.Tokens.Publishers(c, c.principal, in.Org, in.page()))
		})
	register(s, route{
		id: "create-trusted-publisher", method: http.MethodPost, path: "/trusted-publishers", action: "trusted_publisher.create", tag: tag,
		status: http.StatusCreated, somewhere: true, summary: "Let the CI runs of a repository in",
	},
		func(c *call, _ *Request, body ota.NewPublisher) (ota.TrustedPublisher, error) {
			if err := ota.CheckScope(body.Scope); err != nil {
				return ota.TrustedPublisher{}, err
			}
			if err := c.may("trusted_publisher.create", body.Scope); err != nil {
				return ota.TrustedPublisher{}, err
			}
			return s.deps.Tokens.CreatePublisher(c, c.principal, body)
		})
	register(s, route{
		id: "delete-trusted-publisher", method: http.MethodDelete, path: "/trusted-publishers/{id}", action: "trusted_publisher.delete", tag: tag,
		status: http.StatusNoContent, somewhere: true, summary: "Shut the CI runs of a repository out, at once",
	},
		func(c *call, in *publisherInput, _ none) (none, error) {
			// The plane asks who administers the scope that the row says.
			return none{}, s.deps.Tokens.DeletePublisher(c, c.principal, in.ID)
		})
	register(s, route{
		id: "exchange-token", method: http.MethodPost, path: "/token-exchange", action: "token.exchange", tag: tag, limit: maxExchange,
		public:  "the ID token in the body is what authenticates a CI run",
		summary: "Exchange the ID token of a CI run for a token of minutes",
	},
		func(c *call, _ *Request, body ota.TokenExchange) (createdToken, error) {
			out, err := shown(s.deps.Tokens.Exchange(c, body, addrOf(requestOf(c.http))))
			if err == nil {
				eventOf(c).actor = out.Token.CreatedBy
			}
			return out, err
		})
}
