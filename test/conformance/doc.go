// Package conformance runs the cases of testdata, which say what the reference
// server answers, against a whole server of ours over HTTP. Where ours differs
// on purpose, deviations says why.
//
// It holds tests only.
package conformance
