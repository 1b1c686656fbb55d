// Package verifierts runs verifier-ts, the second implementation of the device's
// side in TypeScript: all vectors of docs/sealed/vectors under Node and in
// Chromium, and random changes of documents, about which it has to agree with
// core/sealed/admit. The compiler is esbuild as a library, so nothing is fetched.
//
// It must never be imported: its tests are all there is to it.
package verifierts
