// Package acme gets a certificate for a whole server from Pebble, the test
// authority of Let's Encrypt. It is a module of its own, so that the product does
// not carry Pebble.
package acme
