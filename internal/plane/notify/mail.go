package notify

import (
	"context"
	"fmt"
	"html"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/webhook"
)

// The bounds of mail, per subscription.
const (
	mailsPerHour = 20
	digestOver   = 3 // more events than this at once come in one mail
)

// serveMail sends what is due by mail: a few events one by one, many as a
// digest. Over the bound of an hour everything waits, and comes as a digest.
func (s *Service) serveMail(ctx context.Context, w *Stored, jobs []Job) (again bool, err error) {
	begin := s.Now()
	sent, err := s.Store.Sent(ctx, w.ID, begin.Add(-time.Hour).UnixMilli())
	if err != nil {
		return false, err
	}
	if len(sent) >= mailsPerHour {
		return false, nil // they stay due; the next look in a second costs little
	}
	batch := jobs[:1]
	if len(jobs) > digestOver {
		batch = jobs
	}
	events := make([]webhook.Event, len(batch))
	for i := range batch {
		if events[i], err = decodeEvent(batch[i].Body); err != nil {
			return false, err
		}
	}
	m := digest(events, s.URL)
	m.To = w.To
	mailErr := s.mail(ctx, m)
	if mailErr != nil && ctx.Err() != nil {
		return false, nil // stopping: that was no attempt
	}
	ctx = context.WithoutCancel(ctx) // what was sent is noted, stopping or not
	well := mailErr == nil
	results := make([]Result, len(batch))
	for i := range batch {
		r := Result{Delivery: batch[i].ID, State: ota.DeliveryDelivered, Attempt: ota.Attempt{
			N: batch[i].Attempts + 1, At: begin.UnixMilli(), Duration: s.Now().Sub(begin).Milliseconds(),
		}}
		if !well {
			r.Attempt.Error = public(mailErr)
			r.State, r.NextAt = s.after(batch[i].Kind, r.Attempt.N, 0)
		}
		results[i] = r
	}
	if err := s.Store.Finish(ctx, w.ID, begin.UnixMilli(), well, results); err != nil || well {
		return well, err
	}
	return false, s.failed(ctx, w, begin.UnixMilli(), false)
}

func (s *Service) mail(ctx context.Context, m Mail) error {
	if s.Mailer == nil {
		return ota.Errorf(ota.KindUnavailable, CodeMailUnavailable, "this server sends no mail any more")
	}
	return s.Mailer.Mail(ctx, m)
}

// digest renders events as one mail.
func digest(events []webhook.Event, link string) Mail {
	if len(events) == 1 {
		return single(events[0], link)
	}
	m := Mail{Subject: fmt.Sprintf("[Waxwing] %d events, the latest: %s", len(events), events[len(events)-1].Headline())}
	var text, rows strings.Builder
	for _, e := range events {
		fmt.Fprintf(&text, "%s  %s\n", e.Timestamp, e.Headline())
		fmt.Fprintf(&rows, "<tr><td>%s</td><td>%s</td></tr>", html.EscapeString(e.Timestamp), html.EscapeString(e.Headline()))
	}
	m.Text = text.String() + footer(link)
	m.HTML = page("<table>" + rows.String() + "</table>" + htmlFooter(link))
	return m
}

// single renders one event as a mail.
func single(e webhook.Event, link string) Mail {
	link = deep(e, link)
	head := e.Headline()
	var text, rows strings.Builder
	fmt.Fprintf(&text, "%s\n\n", head)
	for _, f := range append(e.Facts(), [2]string{"At", e.Timestamp}) {
		fmt.Fprintf(&text, "%s: %s\n", f[0], f[1])
		fmt.Fprintf(&rows, "<tr><th align=left>%s</th><td>%s</td></tr>", html.EscapeString(f[0]), html.EscapeString(f[1]))
	}
	return Mail{
		Subject: "[Waxwing] " + head,
		Text:    text.String() + footer(link),
		HTML:    page("<h2>" + html.EscapeString(head) + "</h2><table>" + rows.String() + "</table>" + htmlFooter(link)),
	}
}

// deep is where people see what an event is about, if there is a page for it.
func deep(e webhook.Event, link string) string {
	app, _ := e.Data["app"].(string)
	id, ok := e.Data["alert"].(float64)
	if link == "" || app == "" || !ok {
		return link
	}
	return strings.TrimRight(link, "/") + "/console/apps/" + url.PathEscape(app) + "/alerts/" + strconv.FormatInt(int64(id), 10)
}

func page(body string) string {
	return `<!doctype html><html><body style="font-family:sans-serif">` + body + `</body></html>`
}

func footer(link string) string {
	if link == "" {
		return ""
	}
	return "\n-- \n" + link + "\n"
}

func htmlFooter(link string) string {
	if link == "" {
		return ""
	}
	return "<p>" + html.EscapeString(link) + "</p>"
}
