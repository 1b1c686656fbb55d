package identity

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/secret"
)

// strangers is a store without any user.
type strangers struct{ Store }

func (strangers) UserByEmail(context.Context, string) (ota.User, error) {
	return ota.User{}, ota.NotFound("user_not_found", "there is none")
}

func (strangers) Update(_ context.Context, _ ota.Actor, _ int64, fn func(Tx) (ota.Change, error)) error {
	_, err := fn(nil)
	return err
}

// TestHashesAtATime: however many people sign in, only so many hashes are
// computed at once, also those of strangers; and who gives up waiting leaves.
func TestHashesAtATime(t *testing.T) {
	const people = 20
	synctest.Test(t, func(t *testing.T) {
		s := newTestService(t)
		s.store = strangers{}
		next, now, most := make(chan struct{}), atomic.Int64{}, atomic.Int64{}
		s.derive = func(_, _ []byte, _, memory uint32, _ uint8, n uint32) []byte {
			if memory != argonMemory {
				t.Errorf("%d KiB", memory)
			}
			most.Store(max(most.Load(), now.Add(1)))
			<-next
			now.Add(-1)
			return make([]byte, n)
		}
		var wg sync.WaitGroup
		signIn := func(ctx context.Context, i int) error {
			c := Client{Addr: netip.AddrFrom4([4]byte{198, 51, 100, byte(i)})}
			_, err := s.CheckPassword(ctx, c, fmt.Sprintf("p%d@example.com", i), secret.New("correct horse battery"))
			return err
		}
		for i := range people {
			wg.Go(func() {
				if err := signIn(t.Context(), i); ota.CodeOf(err) != CodeSignInFailed {
					t.Errorf("%d: %v", i, err)
				}
			})
		}
		synctest.Wait() // everybody waits: for a slot, or in a hash
		if now.Load() != parallelHashes {
			t.Fatalf("%d hashes at a time, want %d", now.Load(), parallelHashes)
		}
		impatient, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := signIn(impatient, 99); err == nil || impatient.Err() == nil {
			t.Errorf("did not wait: %v", err)
		}
		for range people {
			next <- struct{}{}
		}
		wg.Wait()
		if most.Load() != parallelHashes || now.Load() != 0 {
			t.Errorf("%d at most, %d left", most.Load(), now.Load())
		}
	})
}

// FuzzPHC: what is read is exactly what was written, within bounds.
func FuzzPHC(f *testing.F) {
	f.Add(dummyPHC())
	f.Add("$argon2id$v=19$m=1,t=1,p=1$AAAA$AAAA")
	f.Add("$argon2id$v=19$m=32768,t=3,p=1 $AAAA$" + dummyPHC()[len(dummyPHC())-43:])
	f.Fuzz(func(t *testing.T, text string) {
		p, err := parsePHC(text)
		if err != nil {
			return
		}
		b := base64.RawStdEncoding
		again := fmt.Sprintf("$argon2id$v=19$m=%d,t=%d,p=%d$%s$%s", p.memory, p.time, p.lanes, b.EncodeToString(p.salt), b.EncodeToString(p.hash))
		if again != text || p.memory > 1<<20 || p.time > 64 || p.memory*p.time*uint32(p.lanes) == 0 || len(p.hash) != argonLen {
			t.Errorf("%q is read as %q", text, again)
		}
	})
}
