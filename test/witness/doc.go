// Package witness tests the log of sealed updates against other people's programs:
// the witness litewitness cosigns our checkpoints, and the library torchwood
// verifies our proofs, checkpoints and tiles.
//
// It is a module of its own: what it needs is no part of the product.
package witness
