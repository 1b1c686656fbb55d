package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/run"
	"github.com/waxwing-ota/waxwing/internal/run/config"
)

// serveOptions are the flags of serve; an empty one leaves the environment's
// word.
type serveOptions struct {
	data, listen, publicURL string
	tlsCert, tlsKey         string
	trustProxy, insecure    bool
}

func newServeCommand(g *Globals) *cobra.Command {
	var o serveOptions
	c := &cobra.Command{
		Use:   "serve",
		Short: "Run the server",
		Long: `Run the server: device endpoints, file downloads and the admin API on one
address, with everything that lasts in one directory.

An address that other machines can reach wants TLS: a certificate in files, which
are read again when they change, one from an ACME authority such as Let's Encrypt
(WAXWING_ACME_HOSTS), or a proxy in front that does it (--trust-proxy).

The first start creates the owner token: WAXWING_BOOTSTRAP_TOKEN if it is set
(20 characters or more), else a new one, printed once on standard error and
never again. As long as the server has no user, each start also prints a link
with which the first one signs up in a browser, as owner; it is good for a day
and for one use. Under --json one document with the address, and what there
is of token and link, goes to standard output; the log goes to standard error.`,
		Example: "  waxwing serve --data ./waxwing-data --listen 127.0.0.1:8080\n" +
			"  waxwing serve --data /var/lib/waxwing --listen :8443 --tls-cert cert.pem --tls-key key.pem",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runServe(cmd.Context(), g, o) },
	}
	d := config.Default()
	f := c.Flags()
	f.StringVar(&o.data, "data", "", "directory of the database and the files (default $WAXWING_DATA or "+d.Data+")")
	f.StringVar(&o.listen, "listen", "", "host:port to listen on; port 0 takes a free one (default $WAXWING_LISTEN or "+d.Listen+")")
	f.StringVar(&o.publicURL, "public-url", "", "address that devices see, if it is not the one of their requests ($WAXWING_PUBLIC_URL)")
	f.StringVar(&o.tlsCert, "tls-cert", "", "PEM file of the certificate chain ($WAXWING_TLS_CERT)")
	f.StringVar(&o.tlsKey, "tls-key", "", "PEM file of the certificate's key ($WAXWING_TLS_KEY)")
	f.BoolVar(&o.trustProxy, "trust-proxy", false, "believe X-Forwarded-Host, X-Forwarded-Proto and the last of X-Forwarded-For ($WAXWING_TRUST_PROXY)")
	f.BoolVar(&o.insecure, "insecure-http", false, "let other machines reach the server without TLS: tokens, passwords and updates travel readable ($WAXWING_INSECURE_HTTP)")
	return c
}

// apply lays the flags over what the environment said.
func (o serveOptions) apply(c *config.Config) {
	for _, s := range []struct {
		to   *string
		from string
	}{
		{&c.Data, o.data},
		{&c.Listen, o.listen},
		{&c.PublicURL, o.publicURL},
		{&c.TLSCert, o.tlsCert},
		{&c.TLSKey, o.tlsKey},
	} {
		if s.from != "" {
			*s.to = s.from
		}
	}
	c.TrustProxy = c.TrustProxy || o.trustProxy
	c.InsecureHTTP = c.InsecureHTTP || o.insecure
}

func runServe(ctx context.Context, g *Globals, o serveOptions) error {
	cfg, err := config.FromEnv(g.Env)
	if err != nil {
		return err
	}
	o.apply(&cfg)
	cfg.Log = serverLog(g)
	if g.Env("GOGC") == "" {
		// The snapshot lives long and a request leaves little behind: collecting
		// less often costs some memory and spares every check a part of it.
		debug.SetGCPercent(gcPercent)
	}
	s, err := run.New(ctx, cfg)
	if err != nil {
		return err
	}
	if err := announce(g, s); err != nil {
		return errors.Join(err, s.Close())
	}
	return s.Run(ctx)
}

// gcPercent is what GOGC is for a server unless the environment says otherwise.
const gcPercent = 125

// serverLog writes to standard error: text for people, JSON for machines.
func serverLog(g *Globals) *slog.Logger {
	o := &slog.HandlerOptions{Level: slog.LevelInfo}
	if g.Quiet {
		o.Level = slog.LevelWarn
	}
	if IsTerminal(g.Err) {
		return slog.New(slog.NewTextHandler(g.Err, o))
	}
	return slog.New(slog.NewJSONHandler(g.Err, o))
}

// started is what serve --json prints once the server is ready.
type started struct {
	Event string `json:"event"` // "bootstrap" on the start that made the owner token, else "listening"
	URL   string `json:"url"`
	Token string `json:"token,omitempty"` // only with "bootstrap"
	Setup string `json:"setup,omitempty"` // link for the first user, until there is one
}

// announce says where the server is and, on the start that made it, the owner
// token: this is the only time and place it is ever shown.
func announce(g *Globals, s *run.Server) error {
	a := started{Event: "listening", URL: s.URL(), Token: s.Bootstrap(), Setup: s.Setup()}
	if a.Token != "" {
		a.Event = "bootstrap"
	}
	if g.JSON {
		return g.writeJSON(a)
	}
	if a.Setup != "" {
		if _, err := fmt.Fprintf(g.Err, "nobody can sign in yet: set up the first user, within a day, at\n\n  %s\n\n", a.Setup); err != nil {
			return err
		}
	}
	if a.Token != "" {
		_, err := fmt.Fprintf(g.Err, "owner token, shown only this once: %s\n\n"+
			"  export WAXWING_URL=%s\n  export WAXWING_TOKEN=%s\n\n", a.Token, a.URL, a.Token)
		return err
	}
	return nil
}
