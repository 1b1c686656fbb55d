// Package crash kills the real server with SIGKILL at random moments under
// load and checks what was promised: no acknowledged event is lost, no half
// bundle can be seen, and it starts again.
//
// It holds tests only.
package crash
