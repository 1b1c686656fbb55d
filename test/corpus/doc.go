// Package corpus holds small apps made with the frameworks people use, each with
// its exact packages, and the test that their clean production builds publish:
// the scanner finds nothing in them that blocks, and finds what is planted there.
//
// It holds tests only. They build with npm and skip, saying so, unless
// WAXWING_CORPUS is 1.
package corpus
