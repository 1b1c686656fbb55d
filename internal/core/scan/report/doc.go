// Package report writes what a scan found: for a terminal, as JSON, as SARIF
// 2.1.0 for code hosts and auditors, and as one HTML page.
//
// File names, snippets and messages are hostile text. It must never write them
// without the escaping of the format, nor load anything in the page it makes.
package report
