package admit

import (
	"fmt"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
	"github.com/waxwing-ota/waxwing/internal/core/tlogproof"
	"github.com/waxwing-ota/waxwing/internal/core/tuf"
)

// Remembering is Decide that reads and verifies each document once. Only the
// results of pure functions are remembered, by all of their arguments.
func Remembering() func(State, Input) (Decision, State, error) {
	r := verifying()
	r.resume = tuf.NewCache(4096).Resume
	r.request = once(r.request)
	r.trust = once(r.trust)
	r.manifest = once(r.manifest)
	plain := r
	directors := memory[sealed.Director]{}
	r.director = func(env []byte, keys []p256.Key) (sealed.Director, error) {
		key := string(env)
		for _, k := range keys {
			key += k.Val.Public
		}
		return directors.get(key, func() (sealed.Director, error) { return plain.director(env, keys) })
	}
	proofs := memory[tlogproof.Checkpoint]{}
	r.proven = func(proof string, m ota.Digest, p tlogproof.Policy, kept tlogproof.Checkpoint, cons []ota.Digest) (tlogproof.Checkpoint, error) {
		key := fmt.Sprintf("%s%x%s%s%v%d%s%d%x%x", proof, m, p.Origin, p.P256.Val.Public, p.Witnesses, p.Threshold, kept.Origin, kept.Size, kept.Root, cons)
		return proofs.get(key, func() (tlogproof.Checkpoint, error) { return plain.proven(proof, m, p, kept, cons) })
	}
	return func(s State, in Input) (Decision, State, error) { return decide(r, s, in) }
}

type result[T any] struct {
	v   T
	err error
}

// memory forgets everything when it is full.
type memory[T any] map[string]result[T]

func (m memory[T]) get(key string, f func() (T, error)) (T, error) {
	if r, ok := m[key]; ok {
		return r.v, r.err
	}
	v, err := f()
	if len(m) >= 8192 {
		clear(m)
	}
	m[key] = result[T]{v, err}
	return v, err
}

func once[T any](f func([]byte) (*T, error)) func([]byte) (*T, error) {
	m := memory[*T]{}
	return func(b []byte) (*T, error) {
		return m.get(string(b), func() (*T, error) { return f([]byte(string(b))) })
	}
}

// Blobs admits the blobs of a plan.
func Blobs(p *Plan, from Source) (Verified, error) { return p.admit(from) }
