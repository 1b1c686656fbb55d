package sealed

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/waxwing-ota/waxwing/internal/core/canon"
)

// CheckRequest is what a device asks: is there something for me. Its body is at
// most MaxCheck bytes, and the answer is bound to exactly those.
type CheckRequest struct {
	Type        string    `json:"_type"`
	V           int64     `json:"v"`     // 1
	Nonce       canon.Hex `json:"nonce"` // 16 random bytes, new for every request
	App         string    `json:"app"`
	Device      string    `json:"device"`      // UUID in lower case
	Certificate string    `json:"certificate"` // SHA-256 of the certificate's envelope; "" = not enrolled
	Platform    string    `json:"platform"`
	Native      string    `json:"native"` // version of the native app
	OS          string    `json:"os"`
	Plugin      string    `json:"plugin"`
	Versions    Versions  `json:"versions"`
	Running     Running   `json:"running"`
	Log         int64     `json:"log"` // size of the kept checkpoint; 0 = none
	CustomID    string    `json:"custom_id"`
	Channel     string    `json:"channel"`
	Sig         canon.Hex `json:"sig"` // by the certified key; empty = not enrolled
}

// Versions are those of the metadata that a device has; 0 = none.
type Versions struct {
	Root      int64 `json:"root"`
	Timestamp int64 `json:"timestamp"`
	Snapshot  int64 `json:"snapshot"`
	Targets   int64 `json:"targets"`
}

// Running is the bundle that a device runs; all zero = the one inside the app.
type Running struct {
	Seq    int64  `json:"seq"`
	SHA256 string `json:"sha256"` // of its manifest
}

// Kind is the document's _type.
func (*CheckRequest) Kind() string { return "check" }

// Cap is MaxCheck.
func (*CheckRequest) Cap() int { return MaxCheck }

func (c *CheckRequest) typ() *string          { return &c.Type }
func (c *CheckRequest) signature() *canon.Hex { return &c.Sig }

// Check says whether it is a check and every field has a meaning.
func (c *CheckRequest) Check() error {
	r := rulesOf(c)
	r.uint("v", c.V, 1, 1)
	r.bytes("nonce", c.Nonce, 16, 16)
	r.app("app", c.App)
	r.uuid("device", c.Device)
	r.hashOrNone("certificate", c.Certificate)
	r.platform("platform", c.Platform)
	r.name("native", c.Native, 64)
	r.text("os", c.OS, 64)
	r.text("plugin", c.Plugin, 64)
	r.uint("versions.root", c.Versions.Root, 1, maxVersion) // one is compiled in
	r.uint("versions.timestamp", c.Versions.Timestamp, 0, maxVersion)
	r.uint("versions.snapshot", c.Versions.Snapshot, 0, maxVersion)
	r.uint("versions.targets", c.Versions.Targets, 0, maxVersion)
	r.uint("running.seq", c.Running.Seq, 0, MaxInt)
	r.hashOrNone("running.sha256", c.Running.SHA256)
	r.that((c.Running.Seq == 0) == (c.Running.SHA256 == ""), "running", "needs both its fields or none")
	r.uint("log", c.Log, 0, MaxInt)
	r.text("custom_id", c.CustomID, 255)
	r.text("channel", c.Channel, 255)
	r.sig(c.Sig)
	r.that(c.Certificate != "" || len(c.Sig) == 0, "sig", "is there without a certificate")
	return r.err
}

// DeviceHash stands for a device that has no certificate in the director's
// answer: SHA-256 of "waxwing/device/v1", the app and the device, each with a
// newline after it.
func DeviceHash(app, device string) string {
	return hashHex([]byte("waxwing/device/v1\n" + app + "\n" + device + "\n"))
}

func hashHex(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// HashOf is the SHA-256 of a document's bytes as other documents name it.
func HashOf(b []byte) string { return hashHex(b) }
