// Package sourcemap reads source maps (revision 3, with or without sections) and
// finds what in the sources a position of a script is.
//
// Maps come from outside and may be hostile: every map has bounds on its bytes,
// sources and segments, is read in one pass, and a map that is wrong is an error
// as a whole. It must never read a source that a map only names, and never
// follow an address in a map.
package sourcemap
