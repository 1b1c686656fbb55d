// Package pack turns a folder with a web build into what devices download: a
// sorted list of hashed files, a deterministic zip, and the stored form of each
// single file. It also holds the rules for paths and archives that publisher,
// server and device share.
//
// It must never write a file, follow a symbolic link, trust a size that an
// archive claims, or make bytes that a device of the Capgo plugin family reads
// differently from what went in. It reads folders only through the fs.FS it is
// handed.
//
// # Determinism
//
// The same paths with the same content give the same zip, whatever the
// modification times, modes, time zone or order of the folder are.
//
// # Speed
//
// Two levels were chosen by measurement (see BenchmarkWriteZip and
// BenchmarkEncode): deflate at level 6, and for brotli two encoders, one that is
// good at small files and one that is good at large ones.
package pack
