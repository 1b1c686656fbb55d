package decide

// unbraked leaves out releases at the head of a chain that are braked: a device
// that runs one keeps it, everybody else gets what was there before.
func unbraked(chain []Release, c *Check, t *Trace) []Release {
	for len(chain) > 0 && chain[0].Braked && chain[0].Bundle != nil && chain[0].Bundle.Version != c.VersionName {
		if t != nil {
			t.add("brake", "skip", "offers of %s are stopped until that is recorded", chain[0].Bundle.Version)
		}
		chain = chain[1:]
	}
	return chain
}
