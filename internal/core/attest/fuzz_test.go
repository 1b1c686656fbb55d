package attest_test

import (
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/attest"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// FuzzRead: without a root that is trusted no bytes make more than software.
func FuzzRead(f *testing.F) {
	f.Add(true, []byte("\x30\x03\x02\x01\x01"))
	f.Add(false, []byte("\xa3cfmtoapple-appattestgattStmt\xa2cx5c\x80greceipt@hauthData@"))
	f.Fuzz(func(t *testing.T, android bool, b []byte) {
		kind := attest.AppAttest
		if android {
			kind = attest.Android
		}
		s, err := attest.Read(kind, b, attest.Asked{App: "com.example.shop", Device: "d", Nonce: "n"})
		if err == nil && s.Level != ota.AssuranceSoftware {
			t.Errorf("%s from nothing", s.Level)
		}
	})
}
