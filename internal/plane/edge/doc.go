// Package edge is the data plane: it turns decisions into the bytes a device
// gets, signs the download links in them, and checks those links again.
//
// It must never touch SQL, take a lock on the way of a check, call anyone else,
// or render the same answer twice in an hour.
package edge
