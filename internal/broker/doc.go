// Package broker is a key broker: a small server of the customer's own, away
// from the update server, that holds the key which publishers seal content keys
// to. It decides for itself which devices get a key, by its own policy and the
// authorities it was told, and answers with the same bytes as the update server
// would.
//
// It must never take the word of whoever passes a request on, store or log a
// content key or what it opens, answer when its revocation list is too old, or
// call anybody but the update server it was told.
package broker

// Codes of errors.
const (
	CodeConfig  = "broker_config"  // invalid: see Field
	CodeStale   = "broker_stale"   // unavailable: the revocation list is too old
	CodeBusy    = "broker_busy"    // unavailable: too many ask
	CodeRequest = "broker_request" // invalid: not a request to a broker
)
