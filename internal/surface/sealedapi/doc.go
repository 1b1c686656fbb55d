// Package sealedapi is the wire of sealed updates: the check of a device, and
// the files of each app's repository for devices, mirrors and other TUF clients.
//
// All of it is public and proves itself, so nobody is asked who they are. It
// must never read more of a request than its bound, decide anything, or serve a file that no approved manifest
// needs.
package sealedapi
