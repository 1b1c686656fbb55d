package incident

import "github.com/waxwing-ota/waxwing/internal/core/ota"

// Act is something that moves an incident on.
type Act string

// The acts.
const (
	Contain Act = "contain"
	Recover Act = "recover"
	Resolve Act = "resolve" // by hand, or when enough devices left
	Close   Act = "close"
	Note    Act = "note"
)

// CodeNotNow is the code of acts that come at the wrong time.
const CodeNotNow = "incident_not_now"

// Next returns the state that an act leads to. Containing more does not throw a
// recovery back, recovering again does: other devices are to go elsewhere.
func Next(s ota.IncidentState, a Act) (ota.IncidentState, error) {
	if s == ota.IncidentClosed {
		return s, ota.Conflict(CodeNotNow, "the incident is closed").WithHint("declare another one")
	}
	switch a {
	case Note:
		return s, nil
	case Contain:
		if s == ota.IncidentOpen {
			return ota.IncidentContained, nil
		}
		return s, nil
	case Recover:
		return ota.IncidentRecovering, nil
	case Resolve:
		return ota.IncidentResolved, nil
	case Close:
		return ota.IncidentClosed, nil
	}
	return s, ota.Invalid(CodeNotNow, "there is no act %q", a)
}

// Apply carries an act out on an incident at a time. The first time that a state
// is reached counts; a recovery that begins anew starts its own.
func Apply(i ota.Incident, a Act, at int64) (ota.Incident, error) {
	next, err := Next(i.State, a)
	if err != nil {
		return i, err
	}
	switch {
	case a == Contain:
		first(&i.ContainedAt, at)
	case a == Recover:
		i.RecoveringAt, i.ResolvedAt = at, 0
	case next == ota.IncidentResolved:
		first(&i.ResolvedAt, at)
	case next == ota.IncidentClosed:
		first(&i.ResolvedAt, at)
		first(&i.ClosedAt, at)
	}
	i.State = next
	return i, nil
}

func first(t *int64, at int64) {
	if *t == 0 {
		*t = at
	}
}

// Acts lists what makes sense in a state, most urgent first.
func Acts(s ota.IncidentState) []string {
	switch s {
	case ota.IncidentOpen:
		return []string{string(Contain), string(Recover), string(Close)}
	case ota.IncidentContained:
		return []string{string(Recover), string(Contain), string(Close)}
	case ota.IncidentRecovering:
		return []string{string(Resolve), string(Contain), string(Recover), string(Close)}
	case ota.IncidentResolved:
		return []string{string(Close), string(Recover)}
	}
	return []string{}
}
