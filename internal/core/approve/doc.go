// Package approve says what exactly people approve, as a document with a
// digest, and when a request has enough approvals.
//
// It must never know where requests and people are stored, and never let a
// document leave out something that changes what devices get.
package approve
