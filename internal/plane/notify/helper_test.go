package notify_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/webhook"
	"github.com/waxwing-ota/waxwing/internal/driver/sqlstore"
	"github.com/waxwing-ota/waxwing/internal/plane/control"
	"github.com/waxwing-ota/waxwing/internal/plane/directory"
	"github.com/waxwing-ota/waxwing/internal/plane/notify"
)

const (
	ada = ota.Actor("user:ada@example.com")
	app = "com.example.app"
)

// sent is a request or mail that left, and when.
type sent struct {
	notify.Request
	notify.Mail
	at time.Time
}

func (s sent) event(t *testing.T) webhook.Event {
	t.Helper()
	var e webhook.Event
	if err := json.Unmarshal(s.Body, &e); err != nil {
		t.Fatal(err)
	}
	return e
}

// outside is everything there is beyond the server.
type outside struct {
	mu     sync.Mutex
	sent   []sent
	answer func(ctx context.Context, n int, url string) (notify.Answer, error) // nil = 200
}

func (o *outside) Check(url string) error {
	if url == "" {
		return ota.Invalid("webhook_url_invalid", "no address").WithField("url")
	}
	return nil
}

func (o *outside) Send(ctx context.Context, r notify.Request) (notify.Answer, error) {
	o.mu.Lock()
	o.sent = append(o.sent, sent{Request: r, at: time.Now()})
	n, answer := len(o.sent), o.answer
	o.mu.Unlock()
	if answer != nil {
		return answer(ctx, n, r.URL)
	}
	return notify.Answer{Status: 200, Body: "thanks"}, nil
}

func (o *outside) Mail(_ context.Context, m notify.Mail) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.sent = append(o.sent, sent{Mail: m, at: time.Now()})
	return nil
}

func (o *outside) all() []sent {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]sent(nil), o.sent...)
}

// world is a notifier over a database of its own, inside of a bubble of time.
type world struct {
	*testing.T
	db   *sqlstore.DB
	path string
	out  *outside
	s    *notify.Service
	stop func()

	seen  int           // reports of devices so far
	every time.Duration // between two looks for work
}

// inWorld runs a test in a bubble of time; nothing runs until start is called.
func inWorld(t *testing.T, test func(t *testing.T, w *world)) {
	path := filepath.Join(t.TempDir(), "db")
	synctest.Test(t, func(t *testing.T) {
		w := &world{T: t, path: path, every: time.Second, out: &outside{}, stop: func() {}}
		w.open()
		w.do(app, "app.create", func(ctx context.Context, tx control.Tx) error {
			return tx.InsertApp(ctx, ota.App{ID: app, Org: ota.MainOrg, CreatedAt: 1})
		})
		defer func() { w.close() }()
		test(t, w)
	})
}

func (w *world) open() {
	w.Helper()
	var err error
	if w.db, err = sqlstore.Open(w.Context(), w.path); err != nil {
		w.Fatal(err)
	}
	w.s, err = notify.New(notify.Deps{
		Store: sqlstore.Notify{DB: w.db}, Sender: w.out, Mailer: w.out, Now: time.Now, Rand: rand.Reader,
		Jitter: func() float64 { return 0.5 }, Key: [32]byte{1}, Log: slog.New(slog.NewTextHandler(w.Output(), nil)), URL: "https://ota.example.com", Every: w.every,
	})
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) close() {
	w.stop()
	if err := w.db.Close(); err != nil {
		w.Error(err)
	}
}

// start runs the notifier until stop.
func (w *world) start() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	s := w.s
	go func() {
		defer close(done)
		if err := s.Run(ctx); err != nil {
			w.Error(err)
		}
	}()
	w.stop = func() {
		cancel()
		<-done
		w.stop = func() {}
	}
}

// do makes a change that the control plane could have made.
func (w *world) do(object, action string, fn func(context.Context, control.Tx) error) {
	w.Helper()
	w.change(ota.Change{Action: action, App: app, Object: object, Detail: "{}"}, fn)
}

func (w *world) change(c ota.Change, fn func(context.Context, control.Tx) error) {
	w.Helper()
	err := w.db.Update(w.Context(), ada, time.Now().UnixMilli(), func(tx control.Tx) (ota.Change, error) {
		if fn == nil {
			return c, nil
		}
		return c, fn(w.Context(), tx)
	})
	if err != nil {
		w.Fatal(err)
	}
}

// release records that a version was released.
func (w *world) release(version string) {
	w.Helper()
	w.change(ota.Change{Action: "release.publish", App: app, Object: "production", Detail: fmt.Sprintf(`{"version":%q}`, version)}, nil)
}

// hook makes a subscription.
func (w *world) hook(in ota.NewWebhook) (string, ota.Webhook) {
	w.Helper()
	if in.URL == "" && in.Format != ota.WebhookMail {
		in.URL = "https://example.com/" + in.Name
	}
	secret, h, err := w.s.Create(w.Context(), ada, in)
	if err != nil {
		w.Fatal(err)
	}
	return secret.Reveal(), h
}

// pass lets time go by.
func (w *world) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// versions are those of the events that were sent, in order.
func (w *world) versions(prefix string) []string {
	w.Helper()
	var out []string
	for _, s := range w.out.all() {
		if prefix == "" || s.URL == "https://example.com/"+prefix {
			v, _ := s.event(w.T).Data["version"].(string)
			out = append(out, v)
		}
	}
	return out
}

func (w *world) deliveries(id int64) []ota.Delivery {
	w.Helper()
	list, _, err := w.s.Deliveries(w.Context(), id, "", ota.Page{Limit: 500})
	if err != nil {
		w.Fatal(err)
	}
	return list
}

// lookEvery starts over with a notifier that looks for work less often, for
// tests of days.
func (w *world) lookEvery(d time.Duration) {
	w.Helper()
	w.close()
	w.every = d
	w.open()
}

// admin makes an administrator of the main organisation.
func (w *world) admin(email string) {
	w.Helper()
	err := sqlstore.Directory{DB: w.db}.Update(w.Context(), ada, 1, func(tx directory.Tx) (ota.Change, error) {
		u, err := tx.InsertUser(w.Context(), ota.User{Email: email, Name: "Ada"})
		if err != nil {
			return ota.Change{}, err
		}
		_, err = tx.InsertGrant(w.Context(), ota.RoleGrant{
			SubjectKind: ota.SubjectUser, SubjectID: u.ID, Grant: ota.Grant{Role: ota.RoleAdministrator, Scope: ota.Scope{Org: ota.MainOrg}},
		})
		return ota.Change{Action: "user.create", Object: email, Detail: "{}"}, err
	})
	if err != nil {
		w.Fatal(err)
	}
}
