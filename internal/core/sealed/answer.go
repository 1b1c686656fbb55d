package sealed

import "github.com/waxwing-ota/waxwing/internal/core/canon"

// Answer is what the server returns to a check: the director's answer and
// whatever the device lacks to act on it. It is not signed as a whole; every
// part proves itself. Parts that the device has are left out, and so is a
// manifest too large for it, which is fetched by its hash.
type Answer struct {
	Director    canon.Base64   `json:"director"` // envelope of a Director
	Roots       []canon.Base64 `json:"roots"`    // from the one after the device's, in order
	Timestamp   canon.Base64   `json:"timestamp,omitempty" canon:"optional"`
	Snapshot    canon.Base64   `json:"snapshot,omitempty" canon:"optional"`
	Roles       Roles          `json:"roles,omitzero" canon:"optional"`
	Trust       canon.Base64   `json:"trust,omitempty" canon:"optional"`
	Manifest    canon.Base64   `json:"manifest,omitempty" canon:"optional"`
	Proof       string         `json:"proof,omitempty" canon:"optional"`       // C2SP tlog-proof of the manifest's leaf
	Consistency []canon.Hex    `json:"consistency,omitempty" canon:"optional"` // from the kept checkpoint to the newer one, 32 bytes each
	Checkpoint  string         `json:"checkpoint,omitempty" canon:"optional"`  // a newer checkpoint, where there is no proof
}

// Roles are the targets metadata.
type Roles struct {
	Targets canon.Base64 `json:"targets,omitempty" canon:"optional"`
	Staging canon.Base64 `json:"staging,omitempty" canon:"optional"`
}

// ParseAnswer reads an answer of at most MaxAnswer bytes.
func ParseAnswer(b []byte) (*Answer, error) {
	var a Answer
	if err := canon.Decode(b, MaxAnswer, &a); err != nil {
		return nil, err
	}
	return &a, nil
}

// Encode checks an answer and writes it.
func (a *Answer) Encode() ([]byte, error) {
	if err := a.Check(); err != nil {
		return nil, err
	}
	return canon.Encode(a)
}

// Check says whether the parts are within their bounds.
func (a *Answer) Check() error {
	r := rules{doc: "answer"}
	r.bytes("director", a.Director, 1, MaxDirector)
	r.count("roots", len(a.Roots), 0, MaxRoots)
	for _, b := range a.Roots {
		r.bytes("roots", b, 1, 64<<10)
	}
	r.bytes("proof", []byte(a.Proof), 0, maxText)
	r.bytes("checkpoint", []byte(a.Checkpoint), 0, maxText)
	r.that(a.Proof == "" || a.Checkpoint == "", "checkpoint", "is there besides a proof, which has one")
	r.count("consistency", len(a.Consistency), 0, MaxHashes)
	for _, h := range a.Consistency {
		r.bytes("consistency", h, 32, 32)
	}
	r.that(len(a.Consistency) == 0 || a.Proof != "" || a.Checkpoint != "", "consistency", "is there without a checkpoint")
	return r.err
}
