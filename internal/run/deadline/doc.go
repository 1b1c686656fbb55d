// Package deadline makes the read deadlines of accepted connections cheap.
//
// A server that bounds how long a request may take sets a deadline about five
// times per request, and each costs the runtime a timer: together more than the
// answer to an update check. Here a deadline is a number, and one goroutine
// looks once a second whose time is over.
//
// It must never let a connection live longer than a second beyond its deadline,
// and never change what is read.
package deadline
