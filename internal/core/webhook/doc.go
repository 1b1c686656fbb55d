// Package webhook says what the server tells others: which changes are public
// events, what an event may contain, how it reads as a message, and how a
// request is signed as the Standard Webhooks specification has it.
//
// It must never put anything into an event that is not listed for its type: a
// record of a change may name devices, addresses and places, an event does not.
package webhook
