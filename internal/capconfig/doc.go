// Package capconfig reads what a Capacitor project says about itself: its
// capacitor.config.{ts,js,json}, its package.json and the native plug-ins
// installed under node_modules. It can also change single values of a JSON
// configuration and leave the rest of the text alone.
//
// TypeScript and JavaScript are scanned, not run: values that are written down
// as literals are found, all others are reported as computed.
//
// It must never execute anything it reads, write a .ts or .js file, or guess at
// a value that is not there.
package capconfig
