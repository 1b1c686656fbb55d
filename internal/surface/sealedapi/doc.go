// Package sealedapi is the wire of sealed updates: the check of a device, and
// the files of each app's repository for devices, mirrors and other TUF clients.
//
// All of it is public and proves itself, so nobody is asked who they are. It
// must never read more of a request than its bound, wait for the database to
// answer a check, decide anything, or serve a file that no approved manifest
// needs.
package sealedapi
