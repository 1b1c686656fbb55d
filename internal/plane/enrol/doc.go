// Package enrol gives devices certificates and content keys, and takes what
// they report under their keys.
//
// A device proves that it holds its keys, with a nonce of minutes that counts
// once; what its platform attests is a signal; whom it belongs to is said by the
// app's own identity provider. A content key leaves only for a device that the
// policy of the app lets have it, encrypted to that device, or comes from a key
// broker that decided by itself.
//
// It must never write a content key, an ID token or the name of a device into a
// log, give a key or a certificate where it cannot ask (the database, the
// issuer, the broker), or keep a list of grants: they are counted.
package enrol
