package adminapi

import (
	"net/http"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

type sessionInput struct {
	Request
	ID int64 `path:"id" minimum:"1"`
}

type userSessionInput struct {
	Request
	ID      int64 `path:"id" minimum:"1" doc:"user id"`
	Session int64 `path:"session" minimum:"1"`
}

type endedSessions struct {
	Ended int64 `json:"ended" doc:"how many there were"`
}

func (s *server) registerSessions() {
	const tag = "sign-in"
	id := s.deps.Identity
	register(s, route{
		id: "list-sessions", method: http.MethodGet, path: "/sessions", action: "session.list_own", tag: tag,
		summary: "List where the caller is signed in",
	},
		func(c *call, _ *Request, _ none) (list[ota.Session], error) {
			if c.principal.Person == 0 {
				return listOf([]ota.Session{}, "", nil)
			}
			all, err := id.Sessions(c, c.principal.Person, c.principal.Session)
			return listOf(all, "", err)
		})
	register(s, route{
		id: "end-sessions", method: http.MethodDelete, path: "/sessions", action: "session.delete_own", tag: tag,
		summary: "Sign the caller out everywhere",
	},
		func(c *call, _ *Request, _ none) (endedSessions, error) {
			if c.principal.Person == 0 {
				return endedSessions{}, nil
			}
			n, err := id.EndSessions(c, c.actor, c.principal.Person)
			return endedSessions{n}, err
		})
	register(s, route{
		id: "end-session", method: http.MethodDelete, path: "/sessions/{id}", action: "session.delete_own", tag: tag, status: http.StatusNoContent,
		summary: "End one of the caller's sessions",
	},
		func(c *call, in *sessionInput, _ none) (none, error) {
			return none{}, id.EndSession(c, c.actor, c.principal.Person, in.ID)
		})
	register(s, route{
		id: "list-user-sessions", method: http.MethodGet, path: "/users/{id}/sessions", action: "session.list", tag: tag, somewhere: true,
		summary: "List where a user is signed in",
	},
		func(c *call, in *userInput, _ none) (list[ota.Session], error) {
			if err := s.personInReach(c, in.ID); err != nil {
				return list[ota.Session]{}, err
			}
			all, err := id.Sessions(c, in.ID, c.principal.Session)
			return listOf(all, "", err)
		})
	register(s, route{
		id: "end-user-sessions", method: http.MethodDelete, path: "/users/{id}/sessions", action: "session.delete", tag: tag, somewhere: true,
		summary: "Sign a user out everywhere",
	},
		func(c *call, in *userInput, _ none) (endedSessions, error) {
			if err := s.personInReach(c, in.ID); err != nil {
				return endedSessions{}, err
			}
			n, err := id.EndSessionsOf(c, c.principal, in.ID)
			return endedSessions{n}, err
		})
	register(s, route{
		id: "end-user-session", method: http.MethodDelete, path: "/users/{id}/sessions/{session}", action: "session.delete", tag: tag, somewhere: true, status: http.StatusNoContent,
		summary: "End one session of a user",
	},
		func(c *call, in *userSessionInput, _ none) (none, error) {
			if err := s.personInReach(c, in.ID); err != nil {
				return none{}, err
			}
			return none{}, id.EndSessionOf(c, c.principal, in.ID, in.Session)
		})
}
