package sealedworld

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"fmt"

	"github.com/waxwing-ota/waxwing/internal/core/p256"
	"github.com/waxwing-ota/waxwing/internal/core/tuf"
)

// The keys of a world by what they are for; see World.Key.
const (
	Root1 = iota + 1
	Root2
	Root3
	Release1
	Release2
	Release3
	Snapshot
	Timestamp
	Staging
	Director
	Log
	Authority
	Spare1 // of nobody, yet
	Spare2
	Spare3
	keyCount
)

// Key returns the signer of a key of the world.
func (w *World) Key(n int) p256.Signer {
	if s, ok := w.signers[n]; ok {
		return s
	}
	s := signer(fmt.Sprintf("%s %d", w.App, n))
	w.signers[n] = s
	return s
}

// Keys are a role of the keys.
func (w *World) Keys(threshold int, ns ...int) tuf.Keys {
	k := tuf.Keys{Threshold: threshold}
	for _, n := range ns {
		k.Keys = append(k.Keys, w.Key(n).Public())
	}
	return k
}

func (w *World) with(ns []int) []p256.Signer {
	list := make([]p256.Signer, len(ns))
	for i, n := range ns {
		list[i] = w.Key(n)
	}
	return list
}

// signer makes a key of a text.
func signer(text string) p256.Signer {
	for salt := byte(0); ; salt++ {
		d := sha256.Sum256(append([]byte{salt}, text...))
		if k, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), d[:]); err == nil {
			return p256.Software(k)
		}
	}
}
