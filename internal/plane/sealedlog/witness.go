package sealedlog

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/tilelog"
)

// Witness is somebody else who cosigns checkpoints that continue those they saw.
type Witness struct {
	Name    string
	Ed25519 []byte // 32 bytes
	// Add sends a checkpoint with the proof that it continues the one of old
	// entries (C2SP tlog-witness, add-checkpoint). It returns the signature lines,
	// or the size that the witness saw last if that is not old.
	Add func(ctx context.Context, old int64, proof []ota.Digest, checkpoint string) (lines string, seen int64, err error)
}

// witness is one with what it is known to have seen.
type witness struct {
	Witness
	key  *tilelog.Verifier
	seen int64
}

// askFor bounds how long one witness is waited for.
const askFor = 15 * time.Second

// cosign asks the witnesses whose lines the newest checkpoint lacks, all at once,
// and publishes it once enough have signed.
func (s *Service) cosign(ctx context.Context) error {
	if len(s.witnesses) == 0 {
		return nil
	}
	cp, err := s.store.SealedCheckpoint(ctx, false)
	if err != nil || cp.Size < 0 {
		return err
	}
	keys := append([]*tilelog.Verifier(nil), s.own...)
	for _, w := range s.witnesses {
		keys = append(keys, w.key)
	}
	have, err := tilelog.Open(cp.Note, keys...)
	if err != nil {
		return err
	}
	lines := make([]string, len(s.witnesses))
	var wg sync.WaitGroup
	for i, w := range s.witnesses {
		if have.SignedBy(w.key) {
			continue
		}
		wg.Go(func() { lines[i] = s.ask(ctx, w, cp) })
	}
	wg.Wait()
	count, note := 0, cp.Note
	for i, w := range s.witnesses {
		if lines[i] != "" {
			note += lines[i]
		}
		if lines[i] != "" || have.SignedBy(w.key) {
			count++
		}
	}
	if note == cp.Note {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now, err := s.store.SealedCheckpoint(ctx, false)
	if err != nil || now.Size != cp.Size {
		return err // a longer one was signed meanwhile: that is asked about next
	}
	return s.store.PutSealedCheckpoint(ctx, cp.Size, note, s.now().UnixMilli(), count >= s.threshold)
}

// ask returns the line of a witness, or "" if it gives none: what it says is told
// to the operator, and it is asked again later.
func (s *Service) ask(ctx context.Context, w *witness, cp ota.AuditCheckpoint) string {
	ctx, stop := context.WithTimeout(ctx, askFor)
	defer stop()
	for range 2 { // it may have seen another size than we know
		proof, err := tilelog.Consistency(w.seen, cp.Size, s.hashes(ctx))
		if err != nil {
			s.log.Error("no proof for a witness", "witness", w.Name, "err", err)
			return ""
		}
		lines, seen, err := w.Add(ctx, w.seen, tilelog.Digests(proof), cp.Note)
		switch {
		case err != nil:
			s.log.Warn("a witness did not cosign", "witness", w.Name, "err", err)
			return ""
		case lines == "" && seen > cp.Size:
			s.log.Error("a witness saw a longer log than there is: this one was set back or copied", "witness", w.Name, "seen", seen, "size", cp.Size)
			return ""
		case lines == "":
			w.seen = seen
			continue
		}
		mine, err := tilelog.Lines(cp.Note+lines, append([]*tilelog.Verifier{w.key}, s.own...)...)
		if err != nil || len(mine) == 0 || !strings.HasPrefix(mine[0], "— "+w.Name+" ") {
			s.log.Error("what a witness answered is no cosignature of the checkpoint by its key", "witness", w.Name, "err", err)
			return ""
		}
		w.seen = cp.Size
		return mine[0]
	}
	s.log.Warn("a witness does not know what it saw", "witness", w.Name)
	return ""
}
