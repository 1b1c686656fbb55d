package rollup

// Resolution is the length of the steps that are summed up. Its values are stored.
type Resolution int

// The resolutions.
const (
	Minute Resolution = iota
	Hour
	Day
)

// Resolutions lists them, finest first.
var Resolutions = [...]Resolution{Minute, Hour, Day}

// The lengths in ms.
const (
	MinuteMS = int64(60_000)
	HourMS   = 60 * MinuteMS
	DayMS    = 24 * HourMS
)

// Step returns the length in ms.
func (r Resolution) Step() int64 {
	switch r {
	case Minute:
		return MinuteMS
	case Hour:
		return HourMS
	}
	return DayMS
}

// Floor returns the start of the step that at (Unix ms) is in; days are UTC's.
func (r Resolution) Floor(at int64) int64 {
	step := r.Step()
	return at - ((at%step)+step)%step
}

// Keep returns for how long steps are kept, in ms.
func (r Resolution) Keep() int64 {
	switch r {
	case Minute:
		return 2 * DayMS
	case Hour:
		return 90 * DayMS
	}
	return 730 * DayMS
}

// String names the resolution as queries do.
func (r Resolution) String() string {
	switch r {
	case Minute:
		return "minute"
	case Hour:
		return "hour"
	}
	return "day"
}

// ParseResolution is the reverse of String.
func ParseResolution(s string) (Resolution, bool) {
	for _, r := range Resolutions {
		if r.String() == s {
			return r, true
		}
	}
	return 0, false
}
