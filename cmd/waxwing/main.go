// Command waxwing is server, console and command line of the update platform.
// It must never hold logic: package cli is the program.
package main

import (
	"os"

	"github.com/waxwing-ota/waxwing/internal/surface/cli"
)

func main() {
	os.Exit(cli.Main(os.Args[1:], cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}, os.Getenv))
}
