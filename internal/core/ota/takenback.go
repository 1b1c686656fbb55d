package ota

import "slices"

// TakenBack gives the versions of a channel's history, newest first, that were
// taken back and not released again since, each with the release that took it
// back: who did it, and the note that says why.
func TakenBack(history []Release) map[string]Release {
	out := map[string]Release{}
	for i := range slices.Backward(history) {
		delete(out, history[i].Version)
		if i+1 < len(history) && history[i].Kind == ReleaseRollback && history[i+1].Version != history[i].Version {
			out[history[i+1].Version] = history[i]
		}
	}
	delete(out, Builtin)
	return out
}
