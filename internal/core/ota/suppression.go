package ota

// SuppressionState says where a suppression stands.
type SuppressionState string

// The states.
const (
	SuppressionRequested SuppressionState = "requested"
	SuppressionApproved  SuppressionState = "approved"
	SuppressionRejected  SuppressionState = "rejected"
)

// Suppression says that some findings of a rule do not count, why, who says so
// and for how long. It holds once it is approved and until it expires.
type Suppression struct {
	ID          int64            `json:"id"`
	App         string           `json:"app"`
	Rule        string           `json:"rule"`
	Path        string           `json:"path"`        // glob of paths in the bundle, ** across folders; "" = any
	Fingerprint string           `json:"fingerprint"` // of one finding; "" = any
	Reason      string           `json:"reason"`
	State       SuppressionState `json:"state"`
	RequestedBy Actor            `json:"requested_by"`
	RequestedAt int64            `json:"requested_at"`
	DecidedBy   Actor            `json:"decided_by"`
	DecidedAt   int64            `json:"decided_at"`
	Note        string           `json:"note"` // of the decision
	ExpiresAt   int64            `json:"expires_at"`
	Expired     bool             `json:"expired"`

	// Authors are the people behind the request.
	Authors []int64 `json:"-"`
}

// MaxSuppression is how long a suppression may hold, in days.
const MaxSuppression = 366

// NewSuppression asks for a suppression.
type NewSuppression struct {
	Rule        string `json:"rule"`
	Path        string `json:"path,omitempty" doc:"glob of paths in the bundle; ** goes across folders"`
	Fingerprint string `json:"fingerprint,omitempty" doc:"of one finding"`
	Reason      string `json:"reason"`
	Days        int    `json:"days" doc:"how long it holds, 1 to 366"`
}

// SuppressionNote says why a suppression is approved or rejected.
type SuppressionNote struct {
	Note string `json:"note"`
}
