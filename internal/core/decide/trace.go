package decide

import "fmt"

// Step is one rule that was asked.
type Step struct {
	Rule   string `json:"rule"`
	Result string `json:"result"` // pass, stop, skip, choose
	Detail string `json:"detail"`
}

// Trace collects the rules in the order they were asked. A nil Trace collects
// nothing and costs nothing.
type Trace struct {
	Steps []Step
}

func (t *Trace) add(rule, result, format string, a ...any) {
	t.Steps = append(t.Steps, Step{rule, result, fmt.Sprintf(format, a...)})
}
