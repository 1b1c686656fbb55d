// Package markup reads HTML and CSS into what a scan asks about: elements with
// their attributes, scripts, styles and addresses, each with its byte offset.
//
// It must never fetch what a document names, or recurse: its input is hostile.
package markup
