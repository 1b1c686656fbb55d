package cli

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/webhook"
)

// envWebhookSecret names the variable with the secret of a webhook.
const envWebhookSecret = "WAXWING_WEBHOOK_SECRET" // #nosec G101 -- the name of a variable

// maxWebhookBody bounds the body that is verified.
const maxWebhookBody = 1 << 20

func newWebhooksVerifyCommand(g *Globals) *cobra.Command {
	var r webhook.Signed
	var secretFile string
	var anyTime bool
	c := &cobra.Command{
		Use:   "verify",
		Short: "Check a request that a webhook sent, as its receiver should",
		Long: `Check the signature of a request. The body comes from standard input, the
secret (whsec_...) or public key (whpk_...) from ` + envWebhookSecret + ` or a file.
No server is asked.`,
		Example: `  waxwing webhooks verify --id "$ID" --timestamp "$TS" --signature "$SIG" < body.json`,
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			text := g.Env(envWebhookSecret)
			if secretFile != "" {
				b, err := os.ReadFile(secretFile)
				if err != nil {
					return usagef("cannot read the secret: %s", err)
				}
				text = string(b)
			}
			if text = strings.TrimSpace(text); text == "" {
				return usagef("no secret").WithHint("set %s, or use --secret-file", envWebhookSecret)
			}
			key, err := webhook.ParseKey(text)
			if err != nil {
				return err
			}
			if r.Body, err = io.ReadAll(io.LimitReader(g.In, maxWebhookBody+1)); err != nil {
				return fmt.Errorf("read the body: %w", err)
			}
			if len(r.Body) > maxWebhookBody {
				return ota.Errorf(ota.KindTooLarge, "body_too_large", "the body is larger than %d bytes", maxWebhookBody)
			}
			return g.verified(r, key, anyTime)
		},
	}
	f := c.Flags()
	f.StringVar(&r.ID, "id", "", "value of the header webhook-id (required)")
	f.StringVar(&r.Timestamp, "timestamp", "", "value of the header webhook-timestamp (required)")
	f.StringVar(&r.Signature, "signature", "", "value of the header webhook-signature (required)")
	f.StringVar(&secretFile, "secret-file", "", "file with the secret or public key")
	f.BoolVar(&anyTime, "any-time", false, "accept requests of any age, for looking into old ones")
	for _, name := range []string{"id", "timestamp", "signature"} {
		require(c, name)
	}
	return c
}

func (g *Globals) verified(r webhook.Signed, key webhook.Key, anyTime bool) error {
	now := time.Now()
	if anyTime {
		now = webhook.TimeOf(r)
	}
	if err := webhook.Verify(r, now, key); err != nil {
		return err
	}
	return g.printDone(r.ID, "the signature is good")
}
