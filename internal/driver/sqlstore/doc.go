// Package sqlstore holds all SQL of the server: one embedded SQLite database
// with a single writer and a pool of readers.
//
// Administrative rows change only through [DB.Update], which commits a change
// record together with the change. The package must never decide anything: it
// stores what the planes hand it and hands back what is there. It must never
// touch blobs, clocks or the network.
package sqlstore
