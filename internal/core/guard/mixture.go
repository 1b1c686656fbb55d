package guard

// effects is how many ways a release may be worse the evidence is spread over.
const effects = 8

// The mixture: ratios of odds or rates, and how much of the evidence is bet on each.
var (
	ratios  = [effects]float64{1.25, 1.5, 2, 3, 5, 10, 20, 50}
	weights = [effects]float64{0.10, 0.15, 0.20, 0.20, 0.15, 0.10, 0.05, 0.05}
)

// mixture is one likelihood ratio per effect.
type mixture [effects]scaled

func newMixture() mixture {
	var m mixture
	for k := range m {
		m[k] = one()
	}
	return m
}

// times multiplies every ratio by its factor.
func (m *mixture) times(f *[effects]float64) {
	for k := range m {
		m[k] = m[k].times(f[k])
	}
}

// value is the weighted sum, always in the same order.
func (m *mixture) value() scaled {
	sum := m[0].times(weights[0])
	for k := 1; k < effects; k++ {
		sum = sum.plus(m[k].times(weights[k]))
	}
	return sum
}
