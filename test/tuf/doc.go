// Package tuf holds our TUF against go-tuf, which only tests know: what our
// repository writer makes must pass go-tuf's client, what go-tuf makes must pass
// ours, and of documents changed at random both must say the same. The command
// in client lets the TUF conformance suite run against our client.
package tuf
