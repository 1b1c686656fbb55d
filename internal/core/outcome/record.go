package outcome

// Record is what is known of a device and a version. The zero Record is
// nothing. Times are Unix ms of this server's clock, the earliest known; 0 = none.
type Record struct {
	State  State
	Reason string // why it failed: the action that told, or Silent; "" = it did not

	OfferedAt   int64
	InstalledAt int64
	HealthyAt   int64
	FailedAt    int64 // of Reason
	LeftAt      int64 // when it was RolledBack
}

// At returns the record of one fact: the state was reached at the time.
// reason is for Failed only.
func At(s State, reason string, at int64) Record {
	r := Record{State: s}
	switch s {
	case Offered:
		r.OfferedAt = at
	case Installed:
		r.InstalledAt = at
	case Healthy:
		r.HealthyAt = at
	case Failed:
		r.Reason, r.FailedAt = reason, at
	case RolledBack:
		r.LeftAt = at
	}
	return r
}

// Merge returns what two records know together. It is commutative, associative
// and idempotent.
func Merge(a, b Record) Record {
	m := Record{
		State:       max(a.State, b.State),
		OfferedAt:   earlier(a.OfferedAt, b.OfferedAt),
		InstalledAt: earlier(a.InstalledAt, b.InstalledAt),
		HealthyAt:   earlier(a.HealthyAt, b.HealthyAt),
		LeftAt:      earlier(a.LeftAt, b.LeftAt),
	}
	cause := &a
	if betterCause(&b, &a) {
		cause = &b
	}
	m.Reason, m.FailedAt = cause.Reason, cause.FailedAt
	return m
}

// betterCause reports whether a tells better than b why the version failed: that
// the device gave it up beats a crash, which beats silence; then the earlier
// beats the later.
func betterCause(a, b *Record) bool {
	if x, y := rank(a), rank(b); x != y {
		return x < y
	}
	if a.FailedAt != b.FailedAt {
		return a.FailedAt < b.FailedAt
	}
	return a.Reason < b.Reason
}

func rank(r *Record) int {
	switch {
	case r.Reason == "":
		return 3
	case r.Reason == Silent:
		return 2
	case !Fails(r.Reason):
		return 1
	}
	return 0
}

func earlier(a, b int64) int64 {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}
