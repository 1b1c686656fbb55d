// Package sealedworld makes worlds of sealed updates for tests: an app with its
// root, release, staging and online keys, its TUF repository, trust.json, log and
// bundles, and a server that answers checks, all in memory and all with keys that
// are the same in every run.
//
// It must never be part of a program: every private key in it is public.
package sealedworld
