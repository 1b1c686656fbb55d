package guard

import "math"

// scaled is a positive number as mantissa (0.5 to 1) and binary exponent: the
// logarithm's range without a logarithm. Products of any length neither
// overflow nor vanish, and because only multiplication, division and exact
// shifts are used, every machine computes the same bits. Where a product is
// added to something it is converted to float64 first, so that no compiler
// fuses the two into one rounding.
type scaled struct {
	M float64 `json:"m"`
	E int     `json:"e"`
}

// one is 1.
func one() scaled { return scaled{0.5, 1} }

// times multiplies by a positive number.
func (s scaled) times(f float64) scaled {
	m, e := math.Frexp(float64(s.M * f))
	return scaled{m, s.E + e}
}

// by multiplies by another scaled number.
func (s scaled) by(o scaled) scaled {
	s = s.times(o.M)
	s.E += o.E
	return s
}

// power returns f to the power of n, by squaring.
func power(f float64, n int64) scaled {
	out, square := one(), one().times(f)
	for ; n > 0; n >>= 1 {
		if n&1 == 1 {
			out = out.by(square)
		}
		square = square.by(square)
	}
	return out
}

// float returns the number, at most the largest float64 and possibly 0.
func (s scaled) float() float64 {
	if s.E > 1023 {
		return math.MaxFloat64
	}
	return math.Ldexp(s.M, s.E)
}

// plus adds two numbers.
func (s scaled) plus(o scaled) scaled {
	if o.E > s.E {
		s, o = o, s
	}
	m, e := math.Frexp(float64(s.M + math.Ldexp(o.M, o.E-s.E)))
	return scaled{m, s.E + e}
}
