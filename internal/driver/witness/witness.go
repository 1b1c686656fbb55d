// Package witness asks witnesses to cosign checkpoints (C2SP tlog-witness,
// add-checkpoint).
//
// It must never believe what a witness answers: lines are verified by who asks.
package witness

import (
	"context"
	"encoding/base64"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/tilelog"
	"github.com/waxwing-ota/waxwing/internal/plane/sealedlog"
)

const (
	maxAnswer    = 16 << 10
	maxWitnesses = 16
)

// Parse reads the configured witnesses: "VKEY URL, VKEY URL". URL is the witness's
// submission prefix.
func Parse(list string) ([]sealedlog.Witness, error) {
	var out []sealedlog.Witness
	for one := range strings.SplitSeq(list, ",") {
		f := strings.Fields(one)
		if len(f) == 0 {
			continue
		}
		bad := ota.Invalid("config_invalid", "%.200q is not a witness", strings.TrimSpace(one)).WithField("WAXWING_LOG_WITNESSES").
			WithHint("write each as its verifier key, a space, and its address; put commas between them")
		if len(f) != 2 || len(out) == maxWitnesses {
			return nil, bad
		}
		v, err := tilelog.ParseVerifier(f[0])
		if err != nil || v.Type() != tilelog.TypeCosignature {
			return nil, bad.WithCause(err)
		}
		u, err := url.Parse(f[1])
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			return nil, bad
		}
		c := &client{address: strings.TrimRight(u.String(), "/") + "/add-checkpoint", http: &http.Client{
			Timeout:       15 * time.Second,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}}
		out = append(out, sealedlog.Witness{Name: v.Name(), Ed25519: v.Public(), Add: c.add})
	}
	return out, nil
}

type client struct {
	address string
	http    *http.Client
}

// add implements the Add of [sealedlog.Witness].
func (c *client) add(ctx context.Context, old int64, proof []ota.Digest, checkpoint string) (lines string, seen int64, err error) {
	failed := func(format string, a ...any) *ota.Error {
		return ota.Errorf(ota.KindUnavailable, "witness_unreachable", format, a...)
	}
	var b strings.Builder
	b.WriteString("old " + strconv.FormatInt(old, 10) + "\n")
	for _, h := range proof {
		b.WriteString(base64.StdEncoding.EncodeToString(h[:]) + "\n")
	}
	b.WriteString("\n" + checkpoint)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.address, strings.NewReader(b.String()))
	if err != nil {
		return "", 0, failed("%s cannot be asked", c.address).WithCause(err)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return "", 0, failed("%s cannot be asked", c.address).WithCause(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err != nil || len(body) > maxAnswer {
		return "", 0, failed("%s does not end its answer", c.address).WithCause(err)
	}
	switch res.StatusCode {
	case http.StatusOK:
		if len(body) == 0 {
			return "", 0, failed("%s answers with nothing", c.address)
		}
		return string(body), 0, nil
	case http.StatusConflict:
		text, _ := strings.CutSuffix(string(body), "\n")
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 0 || strconv.FormatInt(n, 10) != text {
			return "", 0, failed("%s answers with no size", c.address)
		}
		return "", n, nil
	}
	return "", 0, failed("%s answers with status %d: %.200q", c.address, res.StatusCode, body)
}
