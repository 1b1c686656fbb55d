// Package deviceapi groups the protocols that devices speak; each adapter is a
// package below.
//
// It must never hold a rule about who gets what: adapters parse and render.
package deviceapi
