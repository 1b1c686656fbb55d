// Package sealeddevice is one app installation that takes sealed updates: the
// reference for native plug-ins. It asks a server, fetches what is missing from it
// or from mirrors, hands all of it to core/sealed/admit, keeps what
// core/sealed/lifecycle says in one folder, and reports.
//
// Every decision is made in those two packages; here are only the disk and the
// network. State is durable before anything is done on its word, bundles get their
// name by a rename, and a process may be killed at any moment.
//
// It must never load a bundle that was not admitted, read more of an answer than
// its cap, write outside its folder, believe a mirror, or give up what runs because
// a server is silent.
package sealeddevice
