package adminapi

import (
	"net/http"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

type logEntriesInput struct {
	Request
	Kind string `query:"kind" maxLength:"20" doc:"manifest, metadata, signature, rule, policy, approval or certificate"`
	App  string `query:"app" maxLength:"200" doc:"of rules, policies and approvals"`
	What string `query:"what" maxLength:"20" doc:"channel, cohort, device or approval"`
	Name string `query:"name" maxLength:"500"`
	PageParams
}

type logEntryInput struct {
	Request
	Leaf int64 `path:"id" minimum:"0" doc:"position in the log, from 0"`
}

type logProofInput struct {
	logEntryInput
	Kept int64 `query:"kept" minimum:"0" doc:"how many entries the checkpoint has that was kept; 0 = none is"`
}

// registerSealedLog has the log of sealed updates with the documents that its
// salted digests are of. The log itself is public, at /sealed/log/.
func (s *server) registerSealedLog() {
	const tag = "sealed log"
	register(s, route{
		id: "list-sealed-log-entries", method: http.MethodGet, path: "/sealed-log/entries", action: auditAction, tag: tag,
		summary: "List entries of the log of sealed updates, newest first",
	},
		func(c *call, in *logEntriesInput, _ none) (list[ota.LogEntry], error) {
			return listOf(s.deps.SealedLog.Entries(c, ota.LogFilter{Kind: in.Kind, App: in.App, What: in.What, Name: in.Name}, in.page()))
		})
	register(s, route{
		id: "get-sealed-log-entry", method: http.MethodGet, path: "/sealed-log/entries/{id}", action: auditAction, tag: tag,
		summary: "Get an entry of the log of sealed updates, with what it is about",
	},
		func(c *call, in *logEntryInput, _ none) (ota.LogEntry, error) {
			return s.deps.SealedLog.Entry(c, in.Leaf)
		})
	register(s, route{
		id: "prove-sealed-log-entry", method: http.MethodGet, path: "/sealed-log/entries/{id}/proof", action: auditAction, tag: tag,
		summary: "Prove that an entry is in the log of the newest checkpoint, as devices get it",
	},
		func(c *call, in *logProofInput, _ none) (ota.LogProof, error) {
			return s.deps.SealedLog.ProofOf(c, in.Leaf, in.Kept)
		})
	register(s, route{
		id: "get-sealed-log-keys", method: http.MethodGet, path: "/sealed-log/keys", action: auditAction, tag: tag,
		summary: "Get the keys that checkpoints of the log of sealed updates are signed with",
	},
		func(_ *call, _ *Request, _ none) (ota.LogKeys, error) { return s.deps.SealedLog.Keys() })
}
