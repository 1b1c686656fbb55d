package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/waxwing-ota/waxwing/internal/client"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/secret"
)

// The budget of a page, as the browser measures it.
const (
	maxBytes = 100_000                // with everything it loads, from an empty cache
	maxWait  = 200 * time.Millisecond // from the request to the last byte of the document
	looks    = 5                      // of which the median counts
)

// errOverBudget makes the command fail after everything was printed.
var errOverBudget = errors.New("over budget")

// measureConsole looks at every page of the console of a large server with
// Chromium, then at every list of the API.
func measureConsole(ctx context.Context, o options) (err error) {
	data := o.data
	if data == "" {
		if data, err = os.MkdirTemp("", "waxwing-bench-"); err != nil {
			return err
		}
		defer os.RemoveAll(data)
	}
	path := filepath.Join(data, "waxwing.db")
	if _, err := os.Stat(path); os.IsNotExist(err) {
		if err := fill(ctx, data, o.size()); err != nil {
			return fmt.Errorf("load: %w", err)
		}
	}
	addr, err := freeAddr()
	if err != nil {
		return err
	}
	begin := time.Now()
	p, err := launch(ctx, addr, o.binary, "serve", "--data", data, "--listen", addr)
	if err != nil {
		return err
	}
	defer p.stop()
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	s := o.size()
	fmt.Printf("server up in %.1f s with %d apps, %d bundles, %d devices (%d in one app), %d audit entries; %d MiB on disk; %.0f MiB resident\n",
		time.Since(begin).Seconds(), s.apps, s.bundles, s.devices, s.big, s.entries, info.Size()>>20, p.resident())
	api, err := client.New(client.Config{URL: "http://" + addr, Token: secret.New(owner)})
	if err != nil {
		return err
	}
	defer api.Close()
	known, err := dress(ctx, o, api, addr, path)
	if err != nil {
		return err
	}
	over, err := visit(ctx, p, api, known)
	if err != nil {
		return err
	}
	fmt.Printf("server after all pages: %.0f MiB resident, at most %.0f MiB\n", p.resident(), p.peak())
	slow, err := measureLists(ctx, p, addr, known)
	if err != nil {
		return err
	}
	fmt.Printf("server after all lists: %.0f MiB resident, at most %.0f MiB\n", p.resident(), p.peak())
	if err := verifyLog(ctx, o, addr); err != nil {
		return err
	}
	if over+slow > 0 {
		return fmt.Errorf("%d pages and %d lists of the API: %w", over, slow, errOverBudget)
	}
	return nil
}

// dress makes over the API what only the server itself can make: two bundles
// with files, webhooks. It returns what stands for the parameters of addresses.
func dress(ctx context.Context, o options, api *client.Client, addr, path string) (known map[string]string, err error) {
	app := appName(0)
	if _, err := api.Bundle(ctx, app, "2.0.1"); ota.KindOf(err) == ota.KindNotFound {
		if err := pushTwo(ctx, o, addr); err != nil {
			return nil, err
		}
	}
	if publishers, _, err := api.Publishers(ctx, "", ota.Page{}); err != nil {
		return nil, err
	} else if len(publishers) == 0 {
		if _, err := api.CreatePublisher(ctx, ota.NewPublisher{
			Name: "shop", Provider: "github", RepositoryID: "1", OwnerID: "2", Repository: "example/shop", Workflow: ".github/workflows/release.yml", Ref: "refs/heads/main",
			Role: ota.RoleReleaseManager, Scope: ota.Scope{Org: ota.MainOrg, App: app},
		}); err != nil {
			return nil, err
		}
	}
	if providers, err := api.SSOProviders(ctx); err != nil {
		return nil, err
	} else if len(providers) == 0 {
		if _, err := api.CreateSSOProvider(ctx, ota.NewSSOProvider{ID: "okta", Name: "Okta", Issuer: "https://id.example.com", ClientID: "waxwing", ClientSecret: "bench", Domains: []string{"example.com"}}); err != nil {
			return nil, err
		}
	}
	if err := suppress(ctx, api, app); err != nil {
		return nil, err
	}
	hooks, _, err := api.Webhooks(ctx, ota.Scope{}, ota.Page{})
	if err != nil {
		return nil, err
	}
	if len(hooks) == 0 {
		for i := range 20 {
			_, h, err := api.CreateWebhook(ctx, ota.NewWebhook{Name: fmt.Sprintf("hook-%d", i), URL: "https://hooks.example.com/x", Events: []string{"rollout.halted"}})
			if err != nil {
				return nil, err
			}
			off := false
			if _, err := api.UpdateWebhook(ctx, h.ID, ota.WebhookPatch{Enabled: &off}); err != nil {
				return nil, err
			}
		}
		if err := deliver(ctx, path); err != nil {
			return nil, err
		}
	}
	devices, _, err := api.Devices(ctx, app, ota.DeviceFilter{}, ota.Page{Limit: 1})
	if err != nil || len(devices) == 0 {
		return nil, fmt.Errorf("no device: %w", err)
	}
	alert, err := alarm(ctx, api, app)
	if err != nil {
		return nil, err
	}
	if have, _, err := api.Incidents(ctx, ota.IncidentFilter{App: app}, ota.Page{Limit: 1}); err == nil && len(have) == 0 {
		_, err = api.DeclareIncident(ctx, ota.NewIncident{App: app, Version: "2.0.1", Title: "a drill"})
		if err != nil {
			return nil, err
		}
	}
	known = map[string]string{
		"incident": "1",
		"alert":    alert, "app": app, "channel": "production", "version": "2.0.1", "device": devices[0].ID.String(), "approval": "7", "group": "1", "user": "17",
		"machine": "1", "token": "9", "webhook": "1", "delivery": "40000", "id": "1", "org": "main", "key": "bench", "entry": "99000", "grant": "17", "publisher": "1", "provider": "okta", "error": "1", "$": "",
	}
	return known, nil
}

// alarm returns the id of an alert, and fires a test if there is none.
func alarm(ctx context.Context, api *client.Client, app string) (string, error) {
	have, _, err := api.Alerts(ctx, ota.AlertFilter{App: app}, ota.Page{Limit: 1})
	if err != nil {
		return "", err
	}
	if len(have) > 0 {
		return strconv.FormatInt(have[0].ID, 10), nil
	}
	a, err := api.TestAlerts(ctx, app)
	return strconv.FormatInt(a.ID, 10), err
}

// suppress asks for suppressions, as many as a busy app has.
func suppress(ctx context.Context, api *client.Client, app string) error {
	have, _, err := api.Suppressions(ctx, app, "", ota.Page{Limit: 1})
	if err != nil || len(have) > 0 {
		return err
	}
	for i := range 200 {
		in := ota.NewSuppression{Rule: "WB-013", Path: fmt.Sprintf("assets/chunk-%03d-*.js", i), Reason: "the token is one of a test", Days: 90}
		if _, err := api.RequestSuppression(ctx, app, in); err != nil {
			return err
		}
	}
	return nil
}

// pushTwo publishes two builds of 400 files each, which share most of them.
func pushTwo(ctx context.Context, o options, addr string) error {
	dir, err := os.MkdirTemp("", "waxwing-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	key := filepath.Join(dir, "key.pem")
	if _, err := cli(ctx, o, addr, "keys", "create", "--app", appName(0), "--out", key, "--no-passphrase"); err != nil {
		return err
	}
	for v, version := range []string{"2.0.0", "2.0.1"} {
		dist := filepath.Join(dir, version)
		if err := os.MkdirAll(filepath.Join(dist, "assets"), 0o755); err != nil {
			return err
		}
		for i := range 400 {
			name, body := fmt.Sprintf("assets/chunk-%03d-with-a-longer-name.js", i), strings.Repeat(fmt.Sprintf("export const x%d = %d;\n", i, i), 40)
			if i == 0 {
				name, body = "index.html", "<!doctype html><script src=assets/chunk-001-with-a-longer-name.js></script>"
			}
			if i%3 == 0 {
				body += fmt.Sprintf("// %d CapacitorUpdater.notifyAppReady()\n", v)
			}
			if err := os.WriteFile(filepath.Join(dist, name), []byte(body), 0o644); err != nil {
				return err
			}
		}
		if _, err := cli(ctx, o, addr, "push", dist, "--app", appName(0), "--version", version, "--no-release", "--key", key); err != nil {
			return err
		}
	}
	return nil
}

// deliver writes deliveries of the first webhook, as if they had been made.
func deliver(ctx context.Context, path string) error {
	db, err := openRaw(path)
	if err != nil {
		return err
	}
	defer db.Close()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	f := &seeder{ctx: ctx, tx: tx}
	f.exec(numbers+`INSERT INTO deliveries (id, webhook_id, change_id, message_id, type, kind, body, state, attempts, next_at, created_at, done_at)
		SELECT i + 1, 1, i + 1, 'msg_' || i, 'release.published', 'event', '{"type":"release.published"}', CASE i % 9 WHEN 0 THEN 'failed' ELSE 'delivered' END, 1, 0, $2, $2 FROM n`,
		50_000, now()-hour)
	f.exec(`INSERT INTO delivery_attempts (delivery_id, n, at, status, duration, error, response) SELECT id, 1, $1, 200, 85, '', 'ok' FROM deliveries`, now()-hour)
	if f.err != nil {
		return f.err
	}
	return tx.Commit()
}

// verifyLog downloads and verifies the whole audit log, as an auditor does.
func verifyLog(ctx context.Context, o options, addr string) error {
	begin := time.Now()
	cpu, err := cli(ctx, o, addr, "audit", "verify")
	if err != nil {
		return err
	}
	fmt.Printf("audit verify over the network: %.1f s, %.1f CPU-seconds of the command\n", time.Since(begin).Seconds(), cpu.Seconds())
	return nil
}
