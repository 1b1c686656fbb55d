package oracle

import (
	"fmt"
	"net/http"
	"strconv"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/webhook"
)

func headers(id string, at time.Time, signature string) http.Header {
	h := http.Header{}
	h.Set(standardwebhooks.HeaderWebhookID, id)
	h.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(at.Unix(), 10))
	h.Set(standardwebhooks.HeaderWebhookSignature, signature)
	return h
}

// TestStandardWebhooks: the library of the Standard Webhooks project believes
// what we sign, we believe what it signs, and neither believes a changed body.
func TestStandardWebhooks(t *testing.T) {
	if webhook.HeaderID != standardwebhooks.HeaderWebhookID || webhook.HeaderTimestamp != standardwebhooks.HeaderWebhookTimestamp ||
		webhook.HeaderSignature != standardwebhooks.HeaderWebhookSignature {
		t.Error("the names of the headers differ")
	}
	for i, body := range []string{"", "{}", `{"type":"release.published","data":{"note":"größer"}}`, "\x00\xff binary", string(make([]byte, 100_000))} {
		key, old := webhook.NewKey(ota.SignHMAC, [32]byte{byte(i)}), webhook.NewKey(ota.SignHMAC, [32]byte{99})
		theirs, err := standardwebhooks.NewWebhook(key.Encoded())
		if err != nil {
			t.Fatal(err)
		}
		at, id := time.Now(), fmt.Sprintf("msg_%d", i)
		for _, keys := range [][]webhook.Key{{key}, {key, old}, {old, key}} {
			if err := theirs.Verify([]byte(body), headers(id, at, webhook.Sign(id, at, []byte(body), keys...))); err != nil {
				t.Errorf("%q: they refuse ours: %v", body, err)
			}
		}
		if theirs.Verify([]byte(body+"x"), headers(id, at, webhook.Sign(id, at, []byte(body), key))) == nil {
			t.Errorf("%q: they believe a changed body", body)
		}
		sig, err := theirs.Sign(id, at, []byte(body))
		if err != nil {
			t.Fatal(err)
		}
		signed := webhook.Signed{ID: id, Timestamp: strconv.FormatInt(at.Unix(), 10), Signature: sig, Body: []byte(body)}
		if err := webhook.Verify(signed, time.Now(), key); err != nil {
			t.Errorf("%q: we refuse theirs: %v", body, err)
		}
		signed.Body = []byte(body + "x")
		if webhook.Verify(signed, time.Now(), key) == nil {
			t.Errorf("%q: we believe a changed body", body)
		}
	}
}
