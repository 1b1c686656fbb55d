package sealed

import (
	"fmt"

	"github.com/waxwing-ota/waxwing/internal/core/canon"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
)

// How well a device keeps its keys, weakest first.
const (
	AssuranceNone      = "none"
	AssuranceSoftware  = "software"
	AssuranceTEE       = "tee"
	AssuranceStrongBox = "strongbox"
)

// The classes of manifests.
const (
	ClassProduction = "production" // approved by the release role
	ClassStaging    = "staging"    // signed by a CI job alone
)

// Trust is trust.json, a target of the app's TUF repository: whom devices
// believe besides its roles. Release keys sign for it, so it changes without a
// new native app.
type Trust struct {
	Type         string     `json:"_type"`
	Version      int64      `json:"version"` // rises with every change
	App          string     `json:"app"`
	Director     []p256.Key `json:"director"`  // any of them answers checks
	Authority    []p256.Key `json:"authority"` // any of them signs certificates and server-made grants
	Log          TrustLog   `json:"log"`
	Witnesses    Witnesses  `json:"witnesses"`
	Broker       []Broker   `json:"broker"`        // that content keys are encrypted to; empty = the server holds them
	MinAssurance string     `json:"min_assurance"` // devices below get no grants
	MinClass     string     `json:"min_class"`     // staging = manifests of both classes may run
	Floor        int64      `json:"floor"`         // no bundle with a lower seq is ever activated
	Epochs       Epochs     `json:"epochs"`
}

// TrustLog is the transparency log that manifests must be in.
type TrustLog struct {
	Name    string   `json:"name"`    // origin line of its checkpoints
	Ed25519 string   `json:"ed25519"` // public key, 32 bytes in hex: for monitors and witnesses
	P256    p256.Key `json:"p256"`    // for devices
}

// Witnesses are those who cosign checkpoints. With the threshold 0 nobody has to.
type Witnesses struct {
	Threshold int       `json:"threshold"`
	Keys      []Witness `json:"keys"`
}

// Witness is one of them.
type Witness struct {
	Name    string `json:"name"`
	Ed25519 string `json:"ed25519"` // public key, 32 bytes in hex
}

// Broker is a key broker of the customer.
type Broker struct {
	Name string    `json:"name"`
	HPKE canon.Hex `json:"hpke"` // uncompressed P-256 public key, 65 bytes in hex
}

// Epochs bounds the keys that payloads may be encrypted with.
type Epochs struct {
	Min int64 `json:"min"` // manifests of earlier epochs are refused
}

// Kind is the document's _type.
func (*Trust) Kind() string { return "trust" }

// Cap is MaxTrust.
func (*Trust) Cap() int { return MaxTrust }

func (t *Trust) typ() *string { return &t.Type }

// Check says whether every field has a meaning.
func (t *Trust) Check() error {
	r := rulesOf(t)
	r.uint("version", t.Version, 1, MaxInt)
	r.app("app", t.App)
	r.keys("director", t.Director, 1)
	r.keys("authority", t.Authority, 0)
	r.name("log.name", t.Log.Name, 255)
	r.hash("log.ed25519", t.Log.Ed25519)
	r.key("log.p256", t.Log.P256)
	t.checkWitnesses(r)
	r.count("broker", len(t.Broker), 0, MaxKeys)
	seen := map[string]bool{}
	for i, b := range t.Broker {
		field := fmt.Sprintf("broker[%d]", i)
		r.name(field+".name", b.Name, 255)
		r.point(field+".hpke", b.HPKE)
		r.that(!seen[b.Name] && !seen[string(b.HPKE)], field, "is there twice")
		seen[b.Name], seen[string(b.HPKE)] = true, true
	}
	r.assurance("min_assurance", t.MinAssurance)
	r.oneOf("min_class", t.MinClass, ClassStaging, ClassProduction)
	r.uint("floor", t.Floor, 0, MaxInt)
	r.uint("epochs.min", t.Epochs.Min, 0, MaxInt)
	return r.err
}

func (t *Trust) checkWitnesses(r *rules) {
	r.count("witnesses.keys", len(t.Witnesses.Keys), 0, MaxWitnesses)
	seen := map[string]bool{}
	for i, w := range t.Witnesses.Keys {
		field := fmt.Sprintf("witnesses.keys[%d]", i)
		r.name(field+".name", w.Name, 255)
		r.hash(field+".ed25519", w.Ed25519)
		r.that(!seen[w.Name] && !seen[w.Ed25519], field, "is there twice")
		seen[w.Name], seen[w.Ed25519] = true, true
	}
	r.uint("witnesses.threshold", int64(t.Witnesses.Threshold), 0, int64(len(t.Witnesses.Keys)))
}
