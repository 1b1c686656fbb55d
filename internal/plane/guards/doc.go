// Package guards runs the guard (core/guard) over what really happens: it turns
// exposures, failures and changed rules into the guard's inputs, keeps the state
// of each rollout or full release in memory, stores every input with what came
// of it, and has a bad release taken back.
//
// Acting comes before storing: offers are stopped in memory at once, the halt
// and the inputs are stored as soon as the database lets it. At start the stored
// inputs are played again.
//
// It must never decide anything that is not a function of the stored inputs,
// and never wait for the database while devices report.
package guards
