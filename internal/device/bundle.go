package device

import (
	"io"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Status is the state of a bundle on the device.
type Status string

// The states. Only pending and success bundles are ever run.
const (
	Pending Status = "pending" // verified, not yet confirmed by the app
	Success Status = "success" // the app confirmed that it works
	Broken  Status = "error"   // it failed, and is never run again
	Deleted Status = "deleted" // its files are gone; the record tells why it ended
)

// builtinID is the id of the bundle inside the native app.
const builtinID = "builtin"

// maxRecords is how many records of deleted bundles are kept.
const maxRecords = 50

// Bundle is the record of one bundle on the device.
type Bundle struct {
	ID         string     `json:"id"` // ten random characters, or "builtin"
	Version    string     `json:"version"`
	Status     Status     `json:"status"`
	Downloaded int64      `json:"downloaded"` // Unix ms; 0 = never completed
	Checksum   string     `json:"checksum"`   // hex SHA-256 of the plain zip; "" if it came as single files
	Tree       ota.Digest `json:"tree"`       // of its files, checked before each use
	Files      int        `json:"files"`
	Size       int64      `json:"size"` // plain bytes
}

func (b *Bundle) usable() bool {
	return b.Status == Success || b.Status == Pending
}

const idLetters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// newID draws ten letters. The bias of 256 modulo 62 does no harm to a name.
func newID(rand io.Reader) (string, error) {
	var b [10]byte
	if _, err := io.ReadFull(rand, b[:]); err != nil {
		return "", ota.Errorf(ota.KindInternal, "internal", "no random bytes").WithCause(err)
	}
	for i := range b {
		b[i] = idLetters[int(b[i])%len(idLetters)]
	}
	return string(b[:]), nil
}

// builtin is the record of the bundle inside the native app.
func (d *Device) builtin() Bundle {
	return Bundle{ID: builtinID, Version: d.cfg.VersionBuild, Status: Success}
}

// find returns the record with the id, or nil. Callers hold mu or own the device.
func (s *state) find(id string) *Bundle {
	for i := range s.Bundles {
		if s.Bundles[i].ID == id {
			return &s.Bundles[i]
		}
	}
	return nil
}

// byVersion returns the newest record with the name whose files are there, or
// whose failure is to be remembered.
func (s *state) byVersion(version string) *Bundle {
	for i := len(s.Bundles) - 1; i >= 0; i-- {
		if b := &s.Bundles[i]; b.Version == version && b.Status != Deleted {
			return b
		}
	}
	return nil
}

// prune forgets the oldest records of deleted bundles.
func (s *state) prune() {
	extra := -maxRecords
	for i := range s.Bundles {
		if s.Bundles[i].Status == Deleted {
			extra++
		}
	}
	kept := s.Bundles[:0]
	for _, b := range s.Bundles {
		if b.Status == Deleted && extra > 0 {
			extra--
			continue
		}
		kept = append(kept, b)
	}
	s.Bundles = kept
}
