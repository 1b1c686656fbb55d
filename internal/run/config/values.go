package config

import (
	"strconv"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/secret"
)

// Values lists how a server is set up, in the order of the table and without
// any secret.
func Values(c Config) []ota.Setting {
	now, before := c.texts(), func() map[string]string { d := Default(); return d.texts() }()
	var out []ota.Setting
	for _, s := range Settings() {
		out = append(out, ota.Setting{Name: s.Env, Usage: s.Usage, Value: now[s.Env], Default: now[s.Env] == before[s.Env], Secret: s.Secret})
	}
	return out
}

// texts writes every setting as it could be read again, secrets apart.
func (c *Config) texts() map[string]string {
	number := func(n int64) string { return strconv.FormatInt(n, 10) }
	hidden := func(s secret.Text) string {
		if s.IsZero() {
			return ""
		}
		return "set"
	}
	return map[string]string{
		"WAXWING_DATA": c.Data, "WAXWING_LISTEN": c.Listen, "WAXWING_PUBLIC_URL": c.PublicURL, "WAXWING_CI_AUDIENCE": c.CIAudience,
		"WAXWING_TLS_CERT": c.TLSCert, "WAXWING_TLS_KEY": c.TLSKey,
		"WAXWING_ACME_HOSTS": c.ACMEHosts, "WAXWING_ACME_MAIL": c.ACMEMail, "WAXWING_ACME_DIRECTORY": c.ACMEDirectory, "WAXWING_ACME_ROOT": c.ACMERoot,
		"WAXWING_HTTP_LISTEN": c.HTTPListen, "WAXWING_INSECURE_HTTP": strconv.FormatBool(c.InsecureHTTP), "WAXWING_BOOTSTRAP_TOKEN": hidden(c.BootstrapToken),
		"WAXWING_BREACHED_PASSWORDS": c.Breached, "WAXWING_TRUST_PROXY": strconv.FormatBool(c.TrustProxy), "WAXWING_STRICT_429": strconv.FormatBool(c.Strict429),
		"WAXWING_MAX_BODY": number(c.MaxBody), "WAXWING_MAX_BLOB": number(c.MaxBlob), "WAXWING_MAX_CHECK": number(c.MaxCheck),
		"WAXWING_MAX_STATS": number(c.MaxStats), "WAXWING_MAX_MANIFEST": number(c.MaxManifest),
		"WAXWING_CUSTODY_KEY": c.CustodyKey, "WAXWING_CUSTODY_PASSPHRASE": hidden(c.CustodyPass), "WAXWING_BROKERS": c.Brokers,
		"WAXWING_SEALED_TTL": c.SealedTTL.String(), "WAXWING_SEALED_POLL": c.SealedPoll.String(),
		"WAXWING_RETENTION": c.Retention.String(), "WAXWING_EVENT_RETENTION": c.EventRetention.String(), "WAXWING_AUDIT_RETENTION": c.AuditRetention.String(),
		"WAXWING_AUDIT_PRIVATE": strconv.FormatBool(c.AuditPrivate), "WAXWING_SYSLOG": c.Syslog,
		"WAXWING_LOG_WITNESSES": c.LogWitnesses, "WAXWING_LOG_QUORUM": strconv.Itoa(c.LogQuorum),
		"WAXWING_SMTP_URL": hidden(c.SMTP), "WAXWING_MAIL_FROM": c.MailFrom, "WAXWING_OSV": c.OSV, "WAXWING_EGRESS_ALLOW": c.EgressAllow, "WAXWING_METRICS_PUBLIC": strconv.FormatBool(c.MetricsPublic), "WAXWING_DEBUG_LISTEN": c.DebugListen, "WAXWING_SHUTDOWN_GRACE": c.ShutdownGrace.String(),
	}
}
