// Package config holds the settings of the server: one table of names,
// defaults, readers and meanings, read from the environment and then from
// flags.
//
// It must never open files other than those that *_FILE variables name, or
// print a secret.
package config

import (
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/secret"
)

// Config is what a server is built from. Start from [Default].
type Config struct {
	Data           string        // directory of everything that lasts; made if missing
	Listen         string        // host:port; port 0 = any free one
	PublicURL      string        // scheme://host[/path] that devices see; "" = taken from each request
	CIAudience     string        // whom ID tokens of CI runs must be made out to; "" = PublicURL
	TLSCert        string        // PEM files; both or none
	TLSKey         string        //
	ACMEHosts      string        // names, separated by commas, that an ACME authority is asked a certificate for
	ACMEMail       string        // whom the authority may write to; "" = nobody
	ACMEDirectory  string        // URL of the authority
	ACMERoot       string        // PEM file of certificates that the authority itself is verified with; "" = the system's
	HTTPListen     string        // host:port that sends browsers on to TLS and answers ACME; "" = none
	InsecureHTTP   bool          // other machines may reach the server without TLS
	BootstrapToken secret.Text   // owner token of the first start; none = make one
	Breached       string        // file of SHA-1 hashes of leaked passwords; "" = none
	TrustProxy     bool          // believe X-Forwarded-Host, -Proto and the last of -For
	Strict429      bool          // unknown apps get 429, as the reference server does
	MaxBody        int64         // bytes of an admin API request, uploads apart
	MaxBlob        int64         // bytes of one uploaded file
	MaxCheck       int64         // bytes of a device's update check or channel request
	MaxStats       int64         // bytes of a device's report
	MaxManifest    int64         // bytes of a device's question for the size of a file list
	Retention      time.Duration // how long history keeps bundles that nothing serves
	EventRetention time.Duration // how long events are kept
	AuditRetention time.Duration // how long entries of the audit log keep their text; 0 = for ever
	AuditPrivate   bool          // checkpoints and hashes of the audit log want a token, too
	SealedTTL      time.Duration // how long a timestamp of sealed updates holds
	SealedPoll     time.Duration // how long devices of sealed updates wait between checks
	Syslog         string        // where the audit log goes as it grows: udp://, tcp:// or tls://host:port; "" = nowhere
	LogWitnesses   string        // who cosigns the log of sealed updates: "VKEY URL, VKEY URL"; "" = nobody
	LogQuorum      int           // how many of them must have cosigned before a checkpoint is published
	ShutdownGrace  time.Duration // how long requests may take to end when the server stops
	SMTP           secret.Text   // smtp(s)://user:password@host:port; none = no mail is sent
	MailFrom       string        // the sender of mails
	OSV            string        // export of known vulnerabilities, for the scans of the server; "" = none
	CustodyKey     string        // key file under a passphrase that content keys are sealed to; "" = kept by the server's own secret
	CustodyPass    secret.Text   // its passphrase
	Brokers        string        // hosts and networks of key brokers that requests are passed on to; "" = none
	EgressAllow    string        // networks and hosts that webhooks may reach besides https on the internet
	MetricsPublic  bool          // /metrics asks nobody for a token
	DebugListen    string        // loopback host:port of metrics and profiles; "" = none
	IssuerHTTP     *http.Client  // asks issuers of ID tokens for their keys; nil = one of its own; not in the table
	Log            *slog.Logger  // nil = says nothing; not in the table
}

// minBootstrapToken is the least number of characters of a token that a person
// chose: fewer can be guessed.
const minBootstrapToken = 20

// Default returns the settings of a server nobody configured.
func Default() Config {
	return Config{
		Data: "waxwing-data", Listen: "127.0.0.1:8080", ACMEDirectory: "https://acme-v02.api.letsencrypt.org/directory",
		MaxBody: 64 << 20, MaxBlob: 1 << 30, MaxCheck: 64 << 10, MaxStats: 4 << 20, MaxManifest: 8 << 20,
		Retention: 90 * 24 * time.Hour, EventRetention: 90 * 24 * time.Hour, SealedTTL: 24 * time.Hour, SealedPoll: time.Hour, ShutdownGrace: 20 * time.Second,
	}
}

// Setting is one row of the table.
type Setting struct {
	Env    string // name of the environment variable
	Usage  string
	Secret bool // may also come from the file that Env+"_FILE" names
	set    func(c *Config, v string) error
}

// Settings returns the table, in the order of the documentation.
func Settings() []Setting {
	return []Setting{
		{"WAXWING_DATA", "directory of the database and the files", false, text(func(c *Config) *string { return &c.Data })},
		{"WAXWING_LISTEN", "host:port to listen on", false, text(func(c *Config) *string { return &c.Listen })},
		{"WAXWING_PUBLIC_URL", "address that devices see, if it is not the one of their requests", false, text(func(c *Config) *string { return &c.PublicURL })},
		{"WAXWING_CI_AUDIENCE", "whom ID tokens of CI runs must be made out to, if not to WAXWING_PUBLIC_URL", false, text(func(c *Config) *string { return &c.CIAudience })},
		{"WAXWING_TLS_CERT", "PEM file of the certificate chain", false, text(func(c *Config) *string { return &c.TLSCert })},
		{"WAXWING_TLS_KEY", "PEM file of the certificate's key", false, text(func(c *Config) *string { return &c.TLSKey })},
		{"WAXWING_ACME_HOSTS", "host names, separated by commas, that a certificate is fetched for by ACME; to set it is to agree to the authority's terms", false, text(func(c *Config) *string { return &c.ACMEHosts })},
		{"WAXWING_ACME_MAIL", "address that the ACME authority may write to", false, text(func(c *Config) *string { return &c.ACMEMail })},
		{"WAXWING_ACME_DIRECTORY", "directory of the ACME authority, if not Let's Encrypt", false, text(func(c *Config) *string { return &c.ACMEDirectory })},
		{"WAXWING_ACME_ROOT", "PEM file of certificates that the ACME authority itself is verified with", false, text(func(c *Config) *string { return &c.ACMERoot })},
		{"WAXWING_HTTP_LISTEN", "host:port, such as :80, that sends browsers on to TLS and answers the ACME authority", false, text(func(c *Config) *string { return &c.HTTPListen })},
		{"WAXWING_INSECURE_HTTP", "let other machines reach the server without TLS: tokens, passwords and updates travel readable (true or false)", false, boolean(func(c *Config) *bool { return &c.InsecureHTTP })},
		{"WAXWING_BOOTSTRAP_TOKEN", "owner token that the first start creates, 20 characters or more", true, func(c *Config, v string) error {
			c.BootstrapToken = secret.New(v)
			return nil
		}},
		{"WAXWING_BREACHED_PASSWORDS", "file of the SHA-1 hashes of leaked passwords, sorted, that people may not choose", false, text(func(c *Config) *string { return &c.Breached })},
		{"WAXWING_TRUST_PROXY", "believe X-Forwarded-Host, X-Forwarded-Proto and the last of X-Forwarded-For (true or false)", false, boolean(func(c *Config) *bool { return &c.TrustProxy })},
		{"WAXWING_STRICT_429", "answer unknown apps with status 429 (true or false)", false, boolean(func(c *Config) *bool { return &c.Strict429 })},
		{"WAXWING_MAX_BODY", "largest admin API request in bytes, uploads apart", false, bytes(func(c *Config) *int64 { return &c.MaxBody })},
		{"WAXWING_MAX_BLOB", "largest uploaded file in bytes", false, bytes(func(c *Config) *int64 { return &c.MaxBlob })},
		{"WAXWING_MAX_CHECK", "largest update check of a device in bytes", false, bytes(func(c *Config) *int64 { return &c.MaxCheck })},
		{"WAXWING_MAX_STATS", "largest report of a device in bytes", false, bytes(func(c *Config) *int64 { return &c.MaxStats })},
		{"WAXWING_MAX_MANIFEST", "largest question of a device for the size of a file list in bytes", false, bytes(func(c *Config) *int64 { return &c.MaxManifest })},
		{"WAXWING_RETENTION", "how long a channel's history keeps bundles that nothing serves, such as 2160h", false, duration(func(c *Config) *time.Duration { return &c.Retention })},
		{"WAXWING_EVENT_RETENTION", "how long events are kept, such as 2160h", false, duration(func(c *Config) *time.Duration { return &c.EventRetention })},
		{"WAXWING_SEALED_TTL", "how long a timestamp of sealed updates holds, from 1h to 168h; it is renewed after half of that", false, duration(func(c *Config) *time.Duration { return &c.SealedTTL })},
		{"WAXWING_SEALED_POLL", "how long devices of sealed updates wait between checks, from 1m to 168h", false, duration(func(c *Config) *time.Duration { return &c.SealedPoll })},
		{"WAXWING_AUDIT_RETENTION", "how long entries of the audit log keep their text, such as 17520h; 0 = for ever (the default)", false, duration(func(c *Config) *time.Duration { return &c.AuditRetention })},
		{"WAXWING_AUDIT_PRIVATE", "ask for a token even for checkpoints and hashes of the audit log (true or false)", false, boolean(func(c *Config) *bool { return &c.AuditPrivate })},
		{"WAXWING_SYSLOG", "where the audit log is sent as it grows: udp://, tcp:// or tls://host:port", false, text(func(c *Config) *string { return &c.Syslog })},
		{"WAXWING_LOG_WITNESSES", "who cosigns the log of sealed updates: verifier key, space, address; commas between several", false, text(func(c *Config) *string { return &c.LogWitnesses })},
		{"WAXWING_LOG_QUORUM", "how many of the witnesses must have cosigned before anything of the log is published; 0 = none (the default)", false, count(func(c *Config) *int { return &c.LogQuorum })},
		{"WAXWING_SMTP_URL", "mail server, such as smtp://user:password@mail.example.com:587 (STARTTLS) or smtps://", true, func(c *Config, v string) error {
			c.SMTP = secret.New(v)
			return nil
		}},
		{"WAXWING_MAIL_FROM", "address that mails come from", false, text(func(c *Config) *string { return &c.MailFrom })},
		{"WAXWING_OSV", "export of osv.dev (zip or JSON file, or a folder) that bundles are held against when the server scans them", false, text(func(c *Config) *string { return &c.OSV })},
		{"WAXWING_CUSTODY_KEY", "key file, made by waxwing broker keygen, that content keys are sealed to, instead of the server's own secret", false, text(func(c *Config) *string { return &c.CustodyKey })},
		{"WAXWING_CUSTODY_PASSPHRASE", "passphrase of that file", true, func(c *Config, v string) error {
			c.CustodyPass = secret.New(v)
			return nil
		}},
		{"WAXWING_BROKERS", "hosts and networks of key brokers that requests of devices may be passed on to, such as keys.example.com,10.1.0.0/16", false, text(func(c *Config) *string { return &c.Brokers })},
		{"WAXWING_EGRESS_ALLOW", "networks and hosts that webhooks may reach besides https on the internet, such as 10.1.0.0/16,chat.intranet.example:8065", false, text(func(c *Config) *string { return &c.EgressAllow })},
		{"WAXWING_METRICS_PUBLIC", "show /metrics without a token (true or false)", false, boolean(func(c *Config) *bool { return &c.MetricsPublic })},
		{"WAXWING_DEBUG_LISTEN", "host:port on loopback, such as 127.0.0.1:6060, where metrics and profiles are shown without a token", false, text(func(c *Config) *string { return &c.DebugListen })},
		{"WAXWING_SHUTDOWN_GRACE", "how long requests may take to end when the server stops, such as 20s", false, duration(func(c *Config) *time.Duration { return &c.ShutdownGrace })},
	}
}

// FromEnv returns Default changed by the variables that are set. It does not
// call Check: flags may still come.
func FromEnv(env func(string) string) (Config, error) {
	c := Default()
	for _, s := range Settings() {
		v := env(s.Env)
		if file := env(s.Env + "_FILE"); s.Secret && file != "" {
			if v != "" {
				return c, invalid(s.Env, "set %s or %s_FILE, not both", s.Env, s.Env)
			}
			raw, err := os.ReadFile(file)
			if err != nil {
				return c, invalid(s.Env+"_FILE", "cannot read the file that %s_FILE names", s.Env).WithCause(err)
			}
			v = strings.TrimSpace(string(raw))
		}
		if v == "" {
			continue
		}
		if err := s.set(&c, v); err != nil {
			if e, ok := errors.AsType[*ota.Error](err); ok {
				e.Msg, e.Field = s.Env+": "+e.Msg, s.Env
			}
			return c, err
		}
	}
	return c, nil
}

// Check refuses settings that cannot work.
func (c *Config) Check() error {
	if c.Data == "" {
		return invalid("data", "the data directory needs a name")
	}
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		return invalid("listen", "%q is not host:port", c.Listen).WithHint("write it like 127.0.0.1:8080, or :8080 for every address of the machine")
	}
	if err := c.checkTLS(); err != nil {
		return err
	}
	if n := len(c.BootstrapToken.Reveal()); n != 0 && n < minBootstrapToken {
		return invalid("WAXWING_BOOTSTRAP_TOKEN", "WAXWING_BOOTSTRAP_TOKEN has %d characters, at least %d are needed", n, minBootstrapToken).
			WithHint("make one with: openssl rand -hex 24")
	}
	if min(c.MaxBody, c.MaxBlob, c.MaxCheck, c.MaxStats, c.MaxManifest) <= 0 {
		return invalid("max_body", "size limits must be positive")
	}
	if c.Retention <= 0 || c.EventRetention <= 0 || c.ShutdownGrace <= 0 {
		return invalid("retention", "retention and grace times must be positive")
	}
	if c.SealedTTL < time.Hour || c.SealedTTL > 7*24*time.Hour {
		return invalid("WAXWING_SEALED_TTL", "a timestamp of sealed updates holds 1h to 168h, not %s", c.SealedTTL)
	}
	if c.SealedPoll < time.Minute || c.SealedPoll > 7*24*time.Hour {
		return invalid("WAXWING_SEALED_POLL", "devices of sealed updates wait 1m to 168h between checks, not %s", c.SealedPoll)
	}
	if c.AuditRetention != 0 && c.AuditRetention < 24*time.Hour {
		return invalid("audit_retention", "the audit log keeps its text for %s only, it must be 24h or more", c.AuditRetention).
			WithHint("leave WAXWING_AUDIT_RETENTION out to keep it for ever")
	}
	if err := c.checkSyslog(); err != nil {
		return err
	}
	if c.CustodyPass.IsZero() != (c.CustodyKey == "") {
		return invalid("WAXWING_CUSTODY_KEY", "WAXWING_CUSTODY_KEY and WAXWING_CUSTODY_PASSPHRASE come together")
	}
	if c.SMTP.IsZero() != (c.MailFrom == "") {
		return invalid("WAXWING_SMTP_URL", "WAXWING_SMTP_URL and WAXWING_MAIL_FROM come together")
	}
	if err := c.checkDebug(); err != nil {
		return err
	}
	return c.checkPublicURL()
}

// checkDebug refuses to show profiles, which hold what is in memory, to others
// than who is on the machine.
func (c *Config) checkDebug() error {
	if c.DebugListen == "" {
		return nil
	}
	host, _, err := net.SplitHostPort(c.DebugListen)
	if err != nil {
		return invalid("WAXWING_DEBUG_LISTEN", "%q is not host:port", c.DebugListen).WithHint("write it like 127.0.0.1:6060")
	}
	if ip, err := netip.ParseAddr(host); err != nil || !ip.Unmap().IsLoopback() {
		return invalid("WAXWING_DEBUG_LISTEN", "%q is not a loopback address: profiles show what is in memory", c.DebugListen).
			WithHint("write it like 127.0.0.1:6060 or [::1]:6060, and reach it from afar through ssh")
	}
	return nil
}

func (c *Config) checkSyslog() error {
	if c.Syslog == "" {
		return nil
	}
	u, err := url.Parse(c.Syslog)
	if err != nil || u.Scheme != "udp" && u.Scheme != "tcp" && u.Scheme != "tls" || u.Hostname() == "" || u.Port() == "" ||
		u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return invalid("syslog", "%q is not the address of a syslog server", c.Syslog).WithHint("write it like tls://logs.example.com:6514")
	}
	return nil
}

func (c *Config) checkPublicURL() error {
	if c.PublicURL == "" {
		return nil
	}
	u, err := url.Parse(c.PublicURL)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return invalid("public_url", "%q cannot be the address that devices see", c.PublicURL).
			WithHint("write it like https://ota.example.com")
	}
	c.PublicURL = strings.TrimRight(u.String(), "/")
	return nil
}

func invalid(field, format string, a ...any) *ota.Error {
	return ota.Invalid("config_invalid", format, a...).WithField(field)
}

func text(at func(*Config) *string) func(*Config, string) error {
	return func(c *Config, v string) error {
		*at(c) = v
		return nil
	}
}

func boolean(at func(*Config) *bool) func(*Config, string) error {
	return func(c *Config, v string) error {
		b, err := strconv.ParseBool(v)
		if err != nil {
			return invalid("", "%q is neither true nor false", v)
		}
		*at(c) = b
		return nil
	}
}

func bytes(at func(*Config) *int64) func(*Config, string) error {
	return func(c *Config, v string) error {
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil {
			return invalid("", "%q is not a number of bytes", v)
		}
		*at(c) = n
		return nil
	}
}

func count(at func(*Config) *int) func(*Config, string) error {
	return func(c *Config, v string) error {
		n, err := strconv.Atoi(v)
		if err != nil || n < 0 {
			return invalid("", "%q is not a number", v)
		}
		*at(c) = n
		return nil
	}
}

func duration(at func(*Config) *time.Duration) func(*Config, string) error {
	return func(c *Config, v string) error {
		d, err := time.ParseDuration(v)
		if err != nil {
			return invalid("", "%q is not a duration such as 20s or 2160h", v)
		}
		*at(c) = d
		return nil
	}
}
