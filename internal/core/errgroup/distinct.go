package errgroup

import (
	"encoding/binary"
	"hash/fnv"
	"math"
	"math/bits"
	"slices"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Devices counts distinct devices in bounded room: it keeps the hashes of the
// first 256, so that small numbers are exact, and goes over to a HyperLogLog of
// 2,048 registers, whose error is 2.3 % as a rule. The zero value is empty.
type Devices struct {
	few  []uint64 // sorted; nil once there are registers
	regs []byte
}

const (
	exact     = 256
	precision = 11
	registers = 1 << precision
)

// The forms a set is stored in.
const (
	formFew  = 1
	formRegs = 2
)

// ReadDevices reads what [Devices.Bytes] wrote. Bytes that are damaged count as
// an empty set.
func ReadDevices(b []byte) Devices {
	switch {
	case len(b) == 1+registers && b[0] == formRegs:
		return Devices{regs: slices.Clone(b[1:])}
	case len(b) > 1 && b[0] == formFew && (len(b)-1)%8 == 0 && (len(b)-1)/8 <= exact:
		var d Devices
		for b = b[1:]; len(b) > 0; b = b[8:] {
			d.few = append(d.few, binary.LittleEndian.Uint64(b))
		}
		slices.Sort(d.few)
		return d
	}
	return Devices{}
}

// Bytes returns the set as it is stored.
func (d *Devices) Bytes() []byte {
	if d.regs != nil {
		return append([]byte{formRegs}, d.regs...)
	}
	b := []byte{formFew}
	for _, h := range d.few {
		b = binary.LittleEndian.AppendUint64(b, h)
	}
	return b
}

// Add adds a device.
func (d *Devices) Add(id ota.DeviceID) {
	f := fnv.New64a()
	_, _ = f.Write(id[:]) // never fails
	d.add(mix(f.Sum64()))
}

// mix spreads the bits of a hash (the finaliser of MurmurHash3).
func mix(h uint64) uint64 {
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

func (d *Devices) add(h uint64) {
	if d.regs != nil {
		i, rank := h>>(64-precision), byte(bits.LeadingZeros64(h<<precision|1<<(precision-1))+1)
		d.regs[i] = max(d.regs[i], rank)
		return
	}
	at, there := slices.BinarySearch(d.few, h)
	if there {
		return
	}
	d.few = slices.Insert(d.few, at, h)
	if len(d.few) <= exact {
		return
	}
	few := d.few
	d.few, d.regs = nil, make([]byte, registers)
	for _, h := range few {
		d.add(h)
	}
}

// Join adds all devices of another set.
func (d *Devices) Join(o *Devices) {
	for _, h := range o.few {
		d.add(h)
	}
	if o.regs == nil {
		return
	}
	if d.regs == nil {
		few := d.few
		d.few, d.regs = nil, make([]byte, registers)
		for _, h := range few {
			d.add(h)
		}
	}
	for i, r := range o.regs {
		d.regs[i] = max(d.regs[i], r)
	}
}

// Count returns how many devices there are, or about how many.
func (d *Devices) Count() int64 {
	if d.regs == nil {
		return int64(len(d.few))
	}
	sum, empty := 0.0, 0
	for _, r := range d.regs {
		sum += math.Ldexp(1, -int(r))
		if r == 0 {
			empty++
		}
	}
	const m = float64(registers)
	n := 0.7213 / (1 + 1.079/m) * m * m / sum
	if n <= 2.5*m && empty > 0 {
		n = m * math.Log(m/float64(empty))
	}
	return int64(math.Round(n))
}
