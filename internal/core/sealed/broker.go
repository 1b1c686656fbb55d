package sealed

import "github.com/waxwing-ota/waxwing/internal/core/canon"

// MaxBrokerRequest is the cap of a request to a key broker, in bytes.
const MaxBrokerRequest = 64 << 10

// BrokerRequest carries a device's request for a grant to a key broker, with
// the content key as the publisher sealed it to the broker. It is not signed:
// the request in it is, and the key opens for the broker alone.
type BrokerRequest struct {
	Type    string       `json:"_type"`
	V       int64        `json:"v"` // 1
	Request canon.Base64 `json:"request"`
	Epoch   int64        `json:"epoch"`
	Key     canon.Hex    `json:"key"` // 113 bytes, see docs/sealed/spec-grants.md
}

// Kind is the document's _type.
func (*BrokerRequest) Kind() string { return "broker_request" }

// Cap is MaxBrokerRequest.
func (*BrokerRequest) Cap() int { return MaxBrokerRequest }

func (b *BrokerRequest) typ() *string { return &b.Type }

// Check says whether it is a request and every field has a meaning.
func (b *BrokerRequest) Check() error {
	r := rulesOf(b)
	r.uint("v", b.V, 1, 1)
	r.bytes("request", b.Request, 1, MaxGrantRequest)
	r.uint("epoch", b.Epoch, 1, MaxEpoch)
	r.bytes("key", b.Key, 113, 113)
	return r.err
}
