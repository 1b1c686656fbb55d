package identity

import (
	"bytes"
	"crypto/subtle"
	"encoding/base32"
	"encoding/base64"
	"fmt"
	"image/png"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// The form of TOTP that every authenticator app knows: SHA-1, 6 digits, 30 s.
const (
	totpPeriod = 30
	totpIssuer = "Waxwing"
	totpBytes  = 20
	qrPixels   = 240
)

// newTOTP draws a secret and renders what an app needs.
func (s *Service) newTOTP(email string) (ota.TOTPSetup, error) {
	raw, err := s.random(totpBytes)
	if err != nil {
		return ota.TOTPSetup{}, err
	}
	return showTOTP(raw, email)
}

func showTOTP(raw []byte, email string) (ota.TOTPSetup, error) {
	key, err := totp.Generate(totp.GenerateOpts{Issuer: totpIssuer, AccountName: email, Secret: raw, Period: totpPeriod, Digits: otp.DigitsSix})
	if err != nil {
		return ota.TOTPSetup{}, fmt.Errorf("make a TOTP key: %w", err)
	}
	img, err := key.Image(qrPixels, qrPixels)
	if err != nil {
		return ota.TOTPSetup{}, fmt.Errorf("draw a QR code: %w", err)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		return ota.TOTPSetup{}, fmt.Errorf("draw a QR code: %w", err)
	}
	return ota.TOTPSetup{
		Secret: base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(raw), URL: key.URL(),
		QR: "data:image/png;base64," + base64.StdEncoding.EncodeToString(b.Bytes()),
	}, nil
}

// totpStep returns the time step whose code this is, 0 if it is none of now,
// the step before or the step after.
func totpStep(secret32, code string, now time.Time) (int64, error) {
	code = strings.ReplaceAll(strings.TrimSpace(code), " ", "")
	if len(code) != 6 || strings.Trim(code, "0123456789") != "" {
		return 0, nil
	}
	found := int64(0)
	for _, skew := range []int64{0, -1, 1} {
		at := now.Add(time.Duration(skew) * totpPeriod * time.Second)
		want, err := totp.GenerateCodeCustom(secret32, at, totp.ValidateOpts{Period: totpPeriod, Digits: otp.DigitsSix})
		if err != nil {
			return 0, fmt.Errorf("compute a TOTP code: %w", err)
		}
		if subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 && found == 0 {
			found = at.Unix() / totpPeriod
		}
	}
	return found, nil
}

func errCode() *ota.Error {
	return ota.Invalid("code_wrong", "that code is not right, or was used already").WithField("code").
		WithHint("wait for the next one; check the clock of the phone")
}

func (s *Service) sealTOTP(secret32 string) ([]byte, error) {
	return s.box.seal("totp", []byte(secret32))
}

// stepOf finds the step of a code for a stored secret.
func (s *Service) stepOf(p Password, code string) (int64, error) {
	plain, err := s.box.open("totp", p.TOTP)
	if err != nil {
		return 0, err
	}
	return totpStep(string(plain), code, s.now())
}
