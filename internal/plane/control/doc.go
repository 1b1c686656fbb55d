// Package control is the one door for changes of apps, keys, bundles, channels,
// releases, rollouts and device overrides: it checks a request, writes
// the rows and the record of the change in one transaction, and refreshes the
// snapshot that devices are answered from before it returns.
//
// It must never answer devices' update checks, never see a private key, never
// know HTTP, and never write a row without a [ota.Change].
package control
