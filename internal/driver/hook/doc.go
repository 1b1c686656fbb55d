// Package hook sends requests to addresses that people of this server chose,
// and keeps those addresses from reaching what only the server can reach: its
// own machine, its neighbours, its cloud's metadata.
//
// What counts is the address that a connection is made to, checked when it is
// made; names are looked up anew for every request and nothing is cached. It
// must never follow a redirect, use a proxy of the environment, or keep more of
// an answer than its beginning.
package hook
