package alert

import (
	"math"
	"slices"
)

// Median is the middle of values, 0 of none.
func Median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(values))
	mid := len(s) / 2
	if len(s)%2 == 1 {
		return s[mid]
	}
	return (s[mid-1] + s[mid]) / 2
}

// MAD is the median of the distances from the median.
func MAD(values []float64) float64 {
	m := Median(values)
	d := make([]float64, len(values))
	for i, v := range values {
		d[i] = math.Abs(v - m)
	}
	return Median(d)
}

// madToSigma makes the MAD of a normal distribution its standard deviation.
const madToSigma = 1.4826

// Bound is what a count of a quarter of an hour may reach before it is unusual:
// median + z·max(1.4826·MAD, √median, 1), and never below minimum. The median and
// the MAD do not move when a few quarters of the past were bad themselves; √median
// is what counting alone scatters by.
func Bound(past []float64, z, minimum float64) float64 {
	m := Median(past)
	spread := max(madToSigma*MAD(past), math.Sqrt(m), 1)
	return max(minimum, m+z*spread)
}

// lowerBound is the lower end of the 95 % Wilson interval of failed/took.
func lowerBound(failed, took float64) float64 {
	if took <= 0 || failed <= 0 {
		return 0
	}
	const z = 1.959964
	took = max(took, failed)
	p := failed / took
	mid := p + z*z/(2*took)
	off := z * math.Sqrt(p*(1-p)/took+z*z/(4*took*took))
	return max(0, (mid-off)/(1+z*z/took))
}
