// Package drill practises the way through an emergency on a server that has
// nothing to lose: a good release, a bad one, noticing it, declaring, containing,
// recovering, and the post-mortem. It is a client of the server, over HTTP, and
// its devices are those of package device.
//
// It must never touch an app that it did not make.
package drill
