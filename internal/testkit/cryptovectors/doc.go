// Package cryptovectors writes and checks docs/sealed/vectors/crypto-*.json: what
// every implementation of suite S1 must say of canonical JSON, signatures, blobs,
// grants and patches. -update writes them anew; grants then come out differently,
// since they are random.
//
// It must never be imported: its test is all there is to it.
package cryptovectors
