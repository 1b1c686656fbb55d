package gitleaks

// claims are our formats, each with the names that gitleaks has for it.
var claims = map[string][]string{
	"aws-access-key":            {"aws-access-token"},
	"github-token":              {"github-pat", "github-oauth", "github-app-token", "github-refresh-token"},
	"github-fine-grained-token": {"github-fine-grained-pat"},
	"gitlab-token": {
		"gitlab-pat", "gitlab-pat-routable", "gitlab-deploy-token", "gitlab-runner-authentication-token",
		"gitlab-runner-authentication-token-routable", "gitlab-cicd-job-token", "gitlab-ptt", "gitlab-feed-token", "gitlab-scim-token",
	},
	"google-api-key":        {"gcp-api-key"},
	"stripe-live-key":       {"stripe-access-token"},
	"slack-token":           {"slack-bot-token", "slack-user-token", "slack-legacy-token"},
	"slack-app-token":       {"slack-app-token"},
	"slack-webhook":         {"slack-webhook-url"},
	"telegram-bot-token":    {"telegram-bot-api-token"},
	"private-key":           {"private-key"},
	"age-secret-key":        {"age-secret-key"},
	"npm-token":             {"npm-access-token"},
	"pypi-token":            {"pypi-upload-token"},
	"twilio-key":            {"twilio-api-key"},
	"sendgrid-key":          {"sendgrid-api-token"},
	"mailgun-key":           {"mailgun-private-api-token"},
	"mailchimp-key":         {"mailchimp-api-key"},
	"openai-key":            {"openai-api-key"},
	"anthropic-key":         {"anthropic-api-key", "anthropic-admin-api-key"},
	"huggingface-token":     {"huggingface-access-token"},
	"shopify-token":         {"shopify-access-token", "shopify-custom-access-token", "shopify-private-app-access-token", "shopify-shared-secret"},
	"square-token":          {"square-access-token"},
	"digitalocean-token":    {"digitalocean-access-token", "digitalocean-pat", "digitalocean-refresh-token"},
	"hashicorp-vault-token": {"vault-service-token", "vault-batch-token"},
	// The form of before version 1.10, which the rule above is for too.
	"hashicorp-vault-legacy-token": {},
	"facebook-token":               {"facebook-page-access-token"},
	"sentry-token":                 {"sentry-org-token"},
	"jwt":                          {"jwt"},
	"generic-secret":               {"generic-api-key"},
}

// ours are formats that gitleaks does not have.
var ours = []string{
	"aws-secret-key", "google-oauth-secret", "google-service-account", "stripe-test-key", "stripe-webhook-secret", "discord-webhook",
	"npmrc-auth", "twilio-auth-token", "azure-storage-key", "supabase-service-key", "firebase-server-key", "mapbox-secret-token",
	"database-url", "basic-auth-url",
}

// differs are formats where we say less on purpose. Their disagreement is
// counted and printed, not asserted.
var differs = map[string]string{
	"generic-secret": "a guess on both sides: ours wants a name of a secret and more entropy, since minified code is full of long texts",
}
