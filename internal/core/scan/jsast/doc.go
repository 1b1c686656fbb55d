// Package jsast reads JavaScript: it parses, and walks the tree in the order of
// the source, telling what is called, assigned, named and written as text, with
// the byte offset of each.
//
// It must never run a script, judge what it finds, or recurse deeper than the
// parser's own limits: its input is hostile.
package jsast
