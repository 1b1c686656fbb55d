package ota

// Analytics is the answer to one question about an app's devices over time. All
// questions have answers of this one shape.
type Analytics struct {
	App         string   `json:"app"`
	Name        string   `json:"name"`    // adoption, success, distribution, active, engagement, launch or bandwidth
	Version     string   `json:"version"` // that it is about; "" = all
	From        int64    `json:"from"`    // start of the first step, Unix ms
	To          int64    `json:"to"`      // end of the last step
	Step        int64    `json:"step"`    // length of a step in ms
	Facts       []Fact   `json:"facts" nullable:"false"`
	Series      []Series `json:"series" nullable:"false"`
	Approximate bool     `json:"approximate"` // counts of many devices are estimates, within 2 percent as a rule
}

// Fact is one number of the whole range, or of now.
type Fact struct {
	Name  string  `json:"name"`
	Label string  `json:"label"` // what it is about, such as a version; "" = all
	Unit  string  `json:"unit"`  // see Series
	Value float64 `json:"value"`
}

// Series is a number over time.
type Series struct {
	Name   string  `json:"name"`
	Label  string  `json:"label"`                   // such as a version; "" = all
	Unit   string  `json:"unit"`                    // devices, count, percent, ms, seconds, bytes or time (Unix ms)
	Points []Point `json:"points" nullable:"false"` // oldest first; a step without one is not known
}

// Point is the value of one step.
type Point struct {
	At    int64   `json:"at"` // start of the step, Unix ms
	Value float64 `json:"value"`
}

// AnalyticsQuery asks for Analytics.
type AnalyticsQuery struct {
	Name     string
	From, To int64  // Unix ms; 0 = a range that fits
	Step     string // minute, hour or day; "" = what fits the range
	Version  string // "" = all
}
