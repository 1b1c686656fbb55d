// Package ingest takes in what devices report and what the data plane notes of
// them, and watches over releases.
//
// Events ([Service.Record]) are durable before Record returns: calls that wait
// at the same time share one transaction and one sync of the disk, so that many
// small reports are as cheap as one large one. A version that failed on a
// device is in the snapshot before its reporter gets an answer. Notes of
// answered checks ([Service.Offer]) never wait, may be lost under overload or
// in a crash, and are written together.
//
// It must never lose an event that Record acknowledged, never drop an event
// because it is old, incomplete or of an unknown kind, never make an update
// check wait, and never decide what a device gets.
//
// Commits tell what they brought to light ([Deps.Observe]): devices that came
// into an arm of a rollout, came to another state with a version, or failed
// within the health window. A sweep each minute adds those that fell silent;
// time in which the server did not run does not count against them.
//
// # What counts for automatic halts
//
// A device counts once per version, as failed if it ever reported update_fail
// or set_fail, else as installed if it reported set, from the time it came to
// that state. Emulators are not counted, nor are versions the app has not
// published. Only clearing the failure lets the device count anew. Counts are
// per app and version: a version that two channels serve is judged for both by
// all its devices.
package ingest
