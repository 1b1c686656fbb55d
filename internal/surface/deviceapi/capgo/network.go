package capgo

import (
	"crypto/sha256"
	"encoding/binary"
	"net/netip"
)

// Network returns a keyed hash of the network that a request came from: of the
// first 24 bits of an IPv4 address, the first 48 of another. It tells networks
// apart and names none. addr is "host:port", the one that a trusted proxy names
// if there is one. 0 = the address cannot be read.
func Network(key *[32]byte, addr string) uint32 { return network(key, addr) }

func network(key *[32]byte, addr string) uint32 {
	at, err := netip.ParseAddrPort(addr)
	if err != nil {
		return 0
	}
	var room [49]byte
	b := append(room[:0], key[:]...)
	if ip := at.Addr().Unmap(); ip.Is4() {
		full := ip.As4()
		b = append(append(b, 4), full[:3]...)
	} else {
		full := ip.As16()
		b = append(append(b, 6), full[:6]...)
	}
	sum := sha256.Sum256(b)
	return max(binary.BigEndian.Uint32(sum[:4]), 1)
}
