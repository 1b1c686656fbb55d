package cli

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// given returns v if the flag was on the command line, else nil: leave as is.
func given[T any](f *pflag.FlagSet, flag string, v *T) *T {
	if !f.Changed(flag) {
		return nil
	}
	return v
}

// nothingToSet is the error of a set command without a flag.
func nothingToSet(c *cobra.Command) error {
	return usagef("nothing to set").WithHint("see what can be set: %s --help", c.CommandPath())
}
