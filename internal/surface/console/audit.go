package console

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

type auditView struct {
	Entries      []ota.AuditEntry
	Next         string
	Filter       ota.AuditFilter
	Since, Until string // as typed in
	Filtered     bool
}

type auditEntryView struct {
	Entry ota.AuditEntry
	Diff  []fieldDiff
	Proof *ota.AuditProof
}

type checkpointView struct {
	Checkpoint ota.AuditCheckpoint
	Key        ota.AuditKey
	URL        string // of the server, for the command
}

func (c *Console) registerAudit() {
	c.page(route{method: "GET", path: "/audit", action: "audit.read"}, c.showAudit)
	c.page(route{method: "GET", path: "/audit/entries/{entry}", action: "audit.read"}, c.showAuditEntry)
	c.page(route{method: "GET", path: "/audit/checkpoint", action: "audit.read"}, c.showCheckpoint)
	c.page(route{method: "GET", path: "/audit/export", action: "audit.read"}, c.exportAudit)
}

// day reads a date of the address; "" = no bound. A day that something is until
// is included.
func day(name, s string, included bool) (int64, error) {
	if s == "" {
		return 0, nil
	}
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return 0, ota.Invalid("date_invalid", "this is no date").WithField(name).WithHint("write it like 2026-03-31")
	}
	if included {
		t = t.AddDate(0, 0, 1)
	}
	return max(t.UnixMilli(), 1), nil
}

func (c *Console) showAudit(r *request) (answer, error) {
	v := auditView{
		Filter: ota.AuditFilter{Actor: r.query("actor"), Action: r.query("action"), App: r.query("app"), Org: r.query("org"), Object: r.query("object")},
		Since:  r.query("since"), Until: r.query("until"),
	}
	err := func() (err error) {
		if v.Filter.Since, err = day("since", v.Since, false); err != nil {
			return err
		}
		if v.Filter.Until, err = day("until", v.Until, true); err != nil {
			return err
		}
		v.Filtered = v.Filter != ota.AuditFilter{}
		v.Entries, v.Next, err = r.api.AuditEntries(r, v.Filter, r.listPage())
		return err
	}()
	if err == nil || ota.KindOf(err) != ota.KindInvalid {
		return r.show("audit", "Audit log", v), err
	}
	r.problem = asProblem(err)
	for field, at := range map[string]*string{"since": &v.Since, "until": &v.Until} {
		if r.problem.Field == field {
			*at = "" // a field for dates takes nothing else
		}
	}
	a := r.show("audit", "Audit log", v)
	a.status = statusOf(ota.KindInvalid)
	return a, nil
}

func (c *Console) showAuditEntry(r *request) (answer, error) {
	id, err := r.id("entry")
	if err != nil {
		return answer{}, err
	}
	var v auditEntryView
	if v.Entry, err = r.api.AuditEntry(r, id); err != nil {
		return answer{}, err
	}
	v.Diff = diffFields(v.Entry.Before, v.Entry.After)
	p, err := r.api.AuditProof(r, id)
	if err == nil {
		v.Proof = &p
	} else if k := ota.KindOf(err); k != ota.KindConflict && k != ota.KindNotFound && k != ota.KindUnavailable {
		return answer{}, err
	}
	return r.show("auditentry", v.Entry.Action, v), nil
}

func (c *Console) showCheckpoint(r *request) (answer, error) {
	var v checkpointView
	var err error
	if v.Checkpoint, err = r.api.AuditCheckpoint(r); err != nil {
		return answer{}, err
	}
	if v.Key, err = r.api.AuditKey(r); err != nil {
		return answer{}, err
	}
	v.URL = "https://" + r.Host
	if r.TLS == nil {
		v.URL = "http://" + r.Host
	}
	if s, err := r.api.Status(r); err == nil && s.PublicURL != "" {
		v.URL = s.PublicURL
	}
	return r.show("checkpoint", "Checkpoint and key", v), nil
}

// exportAudit passes the export on as it comes: it may be larger than the memory.
func (c *Console) exportAudit(r *request) (answer, error) {
	since, err := day("since", r.query("since"), false)
	if err != nil {
		return answer{}, err
	}
	until, err := day("until", r.query("until"), true)
	if err != nil {
		return answer{}, err
	}
	body, err := c.streams.AuditExport(r, since, until, 0)
	if err != nil {
		return answer{}, err
	}
	return answer{raw: func(w http.ResponseWriter) error {
		defer body.Close()
		w.Header().Set("Content-Type", "application/jsonl")
		w.Header().Set("Content-Disposition", `attachment; filename="audit-`+strings.ReplaceAll(r.Host, `"`, "")+`.jsonl"`)
		_, err := io.Copy(&patient{w: w, ctrl: http.NewResponseController(w), now: time.Now}, body)
		if err != nil && !errors.Is(err, r.Err()) {
			panic(http.ErrAbortHandler) // so that the file does not look whole
		}
		return nil
	}}, nil
}

// patient is a writer whose deadline moves on with what was written.
type patient struct {
	w    io.Writer
	ctrl *http.ResponseController
	now  func() time.Time
}

func (p *patient) Write(b []byte) (int, error) {
	_ = p.ctrl.SetWriteDeadline(p.now().Add(time.Minute)) // a recorder has none
	return p.w.Write(b)
}
