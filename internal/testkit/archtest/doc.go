// Package archtest holds the shape of the tree as tests: who may import whom,
// that every package says what it is for, that no file grows beyond reading,
// and that the core is pure.
//
// It must never be imported: its tests are all there is to it.
package archtest
