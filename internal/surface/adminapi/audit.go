package adminapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// auditAction is what Authorizer is asked for all of the audit log.
const auditAction = "audit.read"

type auditInput struct {
	Request
	Actor  string `query:"actor" maxLength:"320" doc:"such as user:ada@example.com or token:ci"`
	Action string `query:"action" maxLength:"100" doc:"such as release.publish, or release. for all about releases"`
	App    string `query:"app" maxLength:"200"`
	Org    string `query:"org" maxLength:"100"`
	Object string `query:"object" maxLength:"500"`
	Since  int64  `query:"since" minimum:"0" doc:"at this time or later"`
	Until  int64  `query:"until" minimum:"0" doc:"before this time; 0 = no bound"`
	PageParams
}

type entryInput struct {
	Request
	ID int64 `path:"id" minimum:"1"`
}

type consistencyInput struct {
	Request
	From int64 `query:"from" minimum:"0" doc:"entries of the shorter log"`
	To   int64 `query:"to" minimum:"0" doc:"entries of the longer log; 0 = as many as there are"`
}

type exportInput struct {
	Request
	Since int64 `query:"since" minimum:"0" doc:"at this time or later"`
	Until int64 `query:"until" minimum:"0" doc:"before this time; 0 = no bound"`
	From  int64 `query:"from" minimum:"0" doc:"from this leaf on"`
}

func (s *server) registerAudit() {
	const tag = "audit"
	register(s, route{
		id: "list-audit-entries", method: http.MethodGet, path: "/audit/entries", action: auditAction, tag: tag,
		summary: "List entries of the audit log, newest first",
	},
		func(c *call, in *auditInput, _ none) (list[ota.AuditEntry], error) {
			return listOf(s.deps.Audit.Entries(c, ota.AuditFilter{
				Actor: in.Actor, Action: in.Action, App: in.App, Org: in.Org, Object: in.Object, Since: in.Since, Until: in.Until,
			}, in.page()))
		})
	register(s, route{
		id: "get-audit-entry", method: http.MethodGet, path: "/audit/entries/{id}", action: auditAction, tag: tag,
		summary: "Get an entry of the audit log",
	},
		func(c *call, in *entryInput, _ none) (ota.AuditEntry, error) { return s.deps.Audit.Entry(c, in.ID) })
	register(s, route{
		id: "prove-audit-entry", method: http.MethodGet, path: "/audit/entries/{id}/proof", action: auditAction, tag: tag,
		summary: "Prove that an entry is in the log of the newest checkpoint",
	},
		func(c *call, in *entryInput, _ none) (ota.AuditProof, error) { return s.deps.Audit.Proof(c, in.ID) })
	register(s, route{
		id: "prove-audit-consistency", method: http.MethodGet, path: "/audit/consistency", action: auditAction, tag: tag,
		summary: "Prove that a shorter log is the beginning of a longer one",
	},
		func(c *call, in *consistencyInput, _ none) (ota.AuditConsistency, error) {
			return s.deps.Audit.Consistency(c, in.From, in.To)
		})
	register(s, route{
		id: "get-audit-checkpoint", method: http.MethodGet, path: "/audit/checkpoint", action: auditAction, tag: tag,
		summary: "Get the signed checkpoint of the log as it is now",
	},
		func(c *call, _ *Request, _ none) (ota.AuditCheckpoint, error) { return s.deps.Audit.Checkpoint(c) })
	register(s, route{
		id: "get-audit-key", method: http.MethodGet, path: "/audit/key", action: auditAction, tag: tag,
		summary: "Get the key that checkpoints are signed with",
	},
		func(_ *call, _ *Request, _ none) (ota.AuditKey, error) { return s.deps.Audit.Key(), nil })
	s.registerAuditExport(tag)
}

func (s *server) registerAuditExport(tag string) {
	op := s.operation(route{
		id: "export-audit", method: http.MethodGet, path: "/audit/export", action: auditAction, tag: tag,
		summary: "Export entries as JSON Lines, with what it takes to verify them offline",
	})
	op.Responses["200"] = &huma.Response{
		Description: "A header, then one line per entry",
		Content:     map[string]*huma.MediaType{"application/jsonl": {Schema: &huma.Schema{Type: huma.TypeString}}},
	}
	huma.Register(s.api, op, func(ctx context.Context, in *exportInput) (*huma.StreamResponse, error) {
		e, err := s.deps.Audit.Export(ctx, in.Since, in.Until, in.From)
		if err != nil {
			return nil, s.problem(ctx, err)
		}
		return &huma.StreamResponse{Body: func(hc huma.Context) {
			hc.SetHeader("Content-Type", "application/jsonl")
			hc.SetStatus(http.StatusOK)
			_, w := humago.Unwrap(hc)
			if err := e.Write(ctx, &movingWriter{dst: w, ctrl: http.NewResponseController(w)}); err != nil {
				// The header said how many lines there are, so the reader knows.
				eventOf(ctx).fault = err
				panic(http.ErrAbortHandler)
			}
		}}, nil
	})
}
