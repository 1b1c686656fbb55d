package rollup

import (
	"encoding/binary"
	"errors"
	"math/bits"
)

// Hist is a histogram of durations in ms. Its steps are an eighth of a power of
// two, so a quantile is off by at most 6 percent. Histograms add up.
type Hist struct {
	n [histSteps]int64
}

const (
	histSteps = 144 // 20 powers of two above the first 8 values hold MaxDuration and more

	// MaxDuration is the longest duration that is believed, in ms.
	MaxDuration = 10 * MinuteMS
)

func histStep(ms int64) int {
	if ms < 8 {
		return int(ms)
	}
	high := bits.Len64(uint64(ms)) - 1 // >= 3
	return min(histSteps-1, (high-2)*8+int(ms>>(high-3))&7)
}

// middle returns the middle of a step.
func middle(step int) int64 {
	if step < 8 {
		return int64(step)
	}
	shift := step/8 - 1
	low := int64(8+step%8) << shift
	return low + (int64(1)<<shift)/2
}

// Add counts a duration; what cannot be one is left out and false.
func (h *Hist) Add(ms int64) bool {
	if ms < 0 || ms > MaxDuration {
		return false
	}
	h.n[histStep(ms)]++
	return true
}

// Merge adds o.
func (h *Hist) Merge(o *Hist) {
	for i, n := range o.n {
		h.n[i] += n
	}
}

// Count returns how many durations there are.
func (h *Hist) Count() (n int64) {
	for _, k := range h.n {
		n += k
	}
	return n
}

// Quantile returns the duration that the part q (0 to 1) does not exceed; 0 of none.
func (h *Hist) Quantile(q float64) int64 {
	want := max(1, int64(q*float64(h.Count())+0.999999))
	var sum int64
	for i, n := range h.n {
		if sum += n; sum >= want {
			return middle(i)
		}
	}
	return 0
}

// Append appends the stored form: step and count of every step that has one, as
// unsigned varints.
func (h *Hist) Append(b []byte) []byte {
	for i, n := range h.n {
		if n != 0 {
			b = binary.AppendUvarint(binary.AppendUvarint(b, uint64(i)), uint64(n))
		}
	}
	return b
}

var errHist = errors.New("a histogram is damaged")

// DecodeHist reads a stored form.
func DecodeHist(b []byte) (h Hist, err error) {
	for len(b) > 0 {
		i, k := binary.Uvarint(b)
		if k <= 0 || i >= histSteps {
			return Hist{}, errHist
		}
		n, l := binary.Uvarint(b[k:])
		if l <= 0 || n > 1<<62 {
			return Hist{}, errHist
		}
		h.n[i], b = int64(n), b[k+l:]
	}
	return h, nil
}
