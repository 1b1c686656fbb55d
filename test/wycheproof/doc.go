// Package wycheproof runs published test vectors through the cryptography of
// sealed updates: Project Wycheproof's for Cobblestone-256, ECDSA P-256 with
// SHA-256 (DER and raw) and ECDH P-256 points, and, since Wycheproof has none for
// HPKE, the vectors of RFC 9180 for DHKEM(P-256), HKDF-SHA256 and AES-256-GCM, in
// the accumulated form that filippo.io/hpke carries.
//
// It is a module of its own, so that the product does not depend on the vectors.
// They come as pinned modules (Apache-2.0 and BSD-3-Clause) and are not copied
// here.
package wycheproof
