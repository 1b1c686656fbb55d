package snap

import "github.com/waxwing-ota/waxwing/internal/core/ota"

// Lineage follows the parents of a channel's current release (an id; 0 = none)
// through its history, whatever its order. chain starts with the current
// release and ends with the first that has no parent. withdrawn lists the
// versions of the history that are not in the chain: they were rolled back.
func Lineage(current int64, history []ota.Release) (chain []ota.Release, withdrawn []string) {
	byID := make(map[int64]*ota.Release, len(history))
	for i := range history {
		byID[history[i].ID] = &history[i]
	}
	seen := map[string]bool{}
	for r := byID[current]; r != nil && len(chain) < len(history); r = byID[r.Parent] {
		chain = append(chain, *r)
		seen[r.Version] = true
	}
	for i := range history {
		if v := history[i].Version; history[i].BundleID != 0 && !seen[v] {
			seen[v] = true
			withdrawn = append(withdrawn, v)
		}
	}
	return chain, withdrawn
}
