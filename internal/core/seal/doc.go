// Package seal is the encryption that the Capgo plugin family understands:
// RSA-2048 key pairs, session keys, file encryption and signed hashes, in the
// exact wire forms that devices read.
//
// It must never do I/O beyond the readers and writers it is handed, read a
// clock, print or log a key, or accept a value that a device refuses.
//
// # Formats
//
// The publisher holds the private key, the app embeds the public one. A
// payload is signed raw, "00 01 FF..FF 00 payload" to the power d, with no hash
// identifier, so that the public key gives the payload back:
//
//   - a session key is "base64(iv):base64(sign(aes key))", 16 bytes each;
//   - a hash (V3) is the lower-case hex of the signed 32 bytes of a SHA-256;
//   - a hash (V2, plugins before x.30.0) is the base64 of the signed 48 bytes
//     that come from reading the hex text of the SHA-256 as base64;
//   - a file is AES-128-CBC with PKCS#7 padding under the session's key and IV.
//
// Every form has one spelling here. Devices tolerate some others (upper-case
// hex, base64 of a V3 hash); those are refused, so that equal means equal.
//
// # What this gives
//
// Authenticity of content. Who lacks the private key cannot make a session
// key, a hash or a file that a device with the public key takes, whatever
// server or cache stands between.
//
// # What this does not give
//
// Confidentiality from anyone who has the app or the server: the key that
// opens session keys is public, it ships in every copy of the app and is
// registered with the server. What stays closed is closed only to those who
// hold the stored bytes alone, such as a bucket or cache operator.
//
// Authenticity of names and order. A signed hash says nothing about the path,
// the version or the app it belongs to. A hostile server can offer an old
// release again, or mix files signed by one key at different times.
//
// Integrity of ciphertext by itself. CBC has no tag and its padding check is
// no proof of anything: content counts only after its hash was compared.
//
// # Equal bytes are visible
//
// The wire format has one key and IV for a whole answer, so they are shared by
// all files of a bundle. Under an epoch key ([PrivateKey.EpochSession]) they
// are shared by all releases too. That is what lets an unchanged file keep its
// ciphertext and never be stored or uploaded twice, and it shows a holder of
// the stored bytes which files are equal, how long each is to within 16 bytes,
// and for how many 16-byte blocks two files start alike. A fresh key per
// release ([PrivateKey.FreshSession]) ends the comparison at the release and
// costs the reuse.
//
// # Errors
//
// All are [ota.Error]: key_invalid for a key, session_key_invalid and
// checksum_invalid for the shape of a wire form, signature_invalid for a value
// that does not open with the key, ciphertext_invalid for encrypted bytes.
package seal
