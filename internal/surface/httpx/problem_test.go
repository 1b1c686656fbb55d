package httpx

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// What went wrong inside is never told, whatever the error says of itself.
func TestProblem(t *testing.T) {
	for _, c := range []struct {
		err        error
		status     int
		code, says string
	}{
		{ota.Invalid("name_invalid", "no such name").WithHint("try another").WithField("name"), 400, "name_invalid", "try another"},
		{fmt.Errorf("around: %w", ota.NotFound("app_unknown", "there is no app")), 404, "app_unknown", "there is no app"},
		{ota.Errorf(ota.KindInternal, "store_broken", "secret detail").WithHint("secret hint").WithField("secret"), 500, "store_broken", ""},
		{errors.New("secret text"), 500, "internal", ""},
	} {
		w := httptest.NewRecorder()
		ProblemOf(c.err).Write(w)
		body := w.Body.String()
		if w.Code != c.status || !strings.Contains(body, `"code":"`+c.code+`"`) || !strings.Contains(body, c.says) || strings.Contains(body, "secret") {
			t.Errorf("%v: %d %s", c.err, w.Code, body)
		}
		if h := w.Header(); h.Get("Content-Type") != "application/problem+json" || h.Get("Cache-Control") != "no-store" {
			t.Errorf("%v: %v", c.err, h)
		}
	}
}
