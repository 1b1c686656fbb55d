package sqlstore

import (
	"context"
	"hash/maphash"
	"sync"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/outcome"
)

// known remembers, so that reports that bring nothing new cost no query: the
// latest outcomes, and which devices may be waited for. What it says is never
// more than what is in the database; forgetting is always right.
type known struct {
	mu       sync.Mutex
	seed     maphash.Seed
	outcomes []knownOutcome // by hash; a later one takes the place
	waiting  []uint8        // how many waits there may be, by hash of the device; full = many
	removed  []uint64       // waits that the running transaction ends
}

type knownOutcome struct {
	of     deviceVersion
	record outcome.Record
}

const (
	knownOutcomes = 1 << 14
	knownWaits    = 1 << 20 // a million devices that are waited for cost some needless queries, not more memory
	manyWaits     = 255
)

func newKnown() *known {
	return &known{seed: maphash.MakeSeed(), outcomes: make([]knownOutcome, knownOutcomes), waiting: make([]uint8, knownWaits)}
}

func (k *known) slot(of *deviceVersion) *knownOutcome {
	var room [256]byte
	b := append(append(room[:0], of.app...), 0xff)
	b = append(append(b, of.version...), of.device[:]...)
	return &k.outcomes[maphash.Bytes(k.seed, b)%knownOutcomes]
}

func (k *known) remember(of *deviceVersion, r *outcome.Record) {
	*k.slot(of) = knownOutcome{*of, *r}
}

// nothingNew reports whether what was learned is known.
func (k *known) nothingNew(l *lesson) bool {
	have := k.slot(&l.of)
	if have.of != l.of || l.crash.State != outcome.None || l.left != 0 && have.record.State != outcome.RolledBack {
		return false
	}
	return outcome.Merge(have.record, l.facts) == have.record
}

// forget drops all outcomes, since another transaction that runs changes some.
func (k *known) forget() {
	k.mu.Lock()
	clear(k.outcomes)
	k.mu.Unlock()
}

func (k *known) place(app string, device ota.DeviceID) uint64 {
	var room [256]byte
	return maphash.Bytes(k.seed, append(append(room[:0], app...), device[:]...)) % knownWaits
}

// await notes a wait. One that then is not committed does no harm.
func (k *known) await(app string, device ota.DeviceID) {
	if n := &k.waiting[k.place(app, device)]; *n < manyWaits {
		*n++
	}
}

// end notes that a wait ends with the transaction.
func (k *known) end(app string, device ota.DeviceID) {
	k.removed = append(k.removed, k.place(app, device))
}

// settle is told how the transaction ended.
func (k *known) settle(committed bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, at := range k.removed {
		if n := &k.waiting[at]; committed && *n > 0 && *n < manyWaits {
			*n--
		}
	}
	k.removed = k.removed[:0]
	if !committed {
		clear(k.outcomes)
	}
}

// awaited reports whether the device may be waited for.
func (k *known) awaited(app string, device ota.DeviceID) bool {
	return k.waiting[k.place(app, device)] > 0
}

// loadWaits reads whom the last run waited for.
func (db *DB) loadWaits(ctx context.Context) error {
	return reads{db.w}.each(ctx, `SELECT app, device FROM outcome_waits`, func(s scanner) error {
		var app string
		var id []byte
		if err := s.Scan(&app, &id); err != nil {
			return err
		}
		var device ota.DeviceID
		copy(device[:], id)
		db.known.await(app, device)
		return nil
	})
}
