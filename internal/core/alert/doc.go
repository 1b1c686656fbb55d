// Package alert says when people must be told that something is wrong: which
// rules there are, what each computes, and when an alert fires, is told again,
// and is over. See docs/alerts.md for the formulas in words.
//
// A rule looks at [Facts] and gives one [Sample] for each subject that it has an
// opinion of: a channel, a version, an error group, or the app. The state of
// each (rule, subject) moves by [Step].
//
// It must never read a clock or a store, nor tell anybody: its caller does.
package alert
