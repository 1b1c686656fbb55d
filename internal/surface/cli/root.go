// Package cli is the command line. Every command is a client of the admin API;
// only serve and demo start a server, through package run.
//
// It must never reach into the planes or drivers, print a secret that was not
// asked for, or write anything but the one JSON document to standard output
// under --json.
//
// Rules of the terminal: results go to standard output; everything said along
// the way goes to standard error, in lower case, without a period; an error
// names what to do next.
package cli

import (
	"context"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/client"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Streams are the three standard streams of a command.
type Streams struct {
	In  io.Reader
	Out io.Writer
	Err io.Writer
}

// Main runs the command line args (without the program's name) and returns the
// exit code. env looks up environment variables ("" = not set). The first
// interrupt or termination signal cancels the command, the second kills it.
func Main(args []string, streams Streams, env func(string) string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)

	root, g := newRoot(streams, env)
	return execute(ctx, root, g, args)
}

func execute(ctx context.Context, root *cobra.Command, g *Globals, args []string) int {
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitOK
	}
	if !g.started {
		// Flags may not have been parsed when parsing them is what failed.
		g.JSON = g.JSON || slices.Contains(args, "--json")
		err = asUsage(cmd, err)
	}
	g.printError(err)
	return exitCode(err)
}

// NewRoot builds the command tree, for completion, documentation and tests.
func NewRoot(streams Streams, env func(string) string) *cobra.Command {
	root, _ := newRoot(streams, env)
	return root
}

func newRoot(streams Streams, env func(string) string) (*cobra.Command, *Globals) {
	g := newGlobals(streams, env)
	root := &cobra.Command{
		Use:   "waxwing",
		Short: "Self-hosted, sealed live updates for Capacitor apps",
		Long: `Waxwing publishes, signs, encrypts, distributes, watches and reverts live
updates of Capacitor apps on your own machine. This one program is the server
(waxwing serve) and the command line that talks to it.

Exit codes:
  0  done                        4  conflicts with what is there
  1  failed                      5  not allowed
  2  wrong usage                 6  cannot reach the server
  3  not found                   7  waits for the approval of others
                                 8  the scan found what the policy blocks

Environment:
  WAXWING_URL    address of the server (--url)
  WAXWING_TOKEN  API token (--token)
  NO_COLOR       no colours, if set`,
		SilenceUsage:  true,
		SilenceErrors: true,
		// A command must not define a PersistentPreRun of its own: cobra would
		// run that one instead of this.
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			if err := cmd.ValidateRequiredFlags(); err != nil {
				return err
			}
			if err := cmd.ValidateFlagGroups(); err != nil {
				return err
			}
			g.started = true
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(streams.In)
	root.SetOut(streams.Out)
	root.SetErr(streams.Err)
	root.CompletionOptions.HiddenDefaultCmd = false
	f := root.PersistentFlags()
	f.StringVar(&g.url, "url", "", "address of the server (default $WAXWING_URL or "+defaultURL+")")
	f.StringVar(&g.token, "token", "", "API token (default $WAXWING_TOKEN; the variable keeps it out of the process list)")
	f.BoolVar(&g.JSON, "json", false, "print one JSON document on standard output")
	f.BoolVarP(&g.Quiet, "quiet", "q", false, "say nothing but the result and errors")
	root.AddCommand(newVersionCommand(g))
	addCommands(root, g)
	return root, g
}

// newGroup returns a command that only holds others. Without the name of one
// of them it is a usage error, not a success that prints help.
func newGroup(use, short string, commands ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{
		Use:   use,
		Short: short,
		Args:  cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("%q needs a subcommand", cmd.CommandPath()).WithHint("see: %s --help", cmd.CommandPath())
			}
			err := usagef("unknown command %q for %q", args[0], cmd.CommandPath())
			if s := cmd.SuggestionsFor(args[0]); len(s) > 0 {
				return err.WithHint("did you mean: %s %s", cmd.CommandPath(), s[0])
			}
			return err.WithHint("see: %s --help", cmd.CommandPath())
		},
	}
	c.SuggestionsMinimumDistance = 2
	c.AddCommand(commands...)
	return c
}

// exit codes; the text of the root command documents them.
const (
	exitOK = iota
	exitFailure
	exitUsage
	exitNotFound
	exitConflict
	exitNotAllowed
	exitUnreachable
	exitWaiting
	exitBlocked
)

// codeScanBlocked is the error code for findings that a policy blocks.
const codeScanBlocked = "scan_blocked"

// codeUsage is the error code of a wrong command line.
const codeUsage = "usage"

// usagef builds the error for a wrong command line: exit code 2.
func usagef(format string, a ...any) *ota.Error { return ota.Invalid(codeUsage, format, a...) }

// asUsage turns what cobra says of a wrong command line into a usage error.
func asUsage(cmd *cobra.Command, err error) error {
	if ota.CodeOf(err) == codeUsage {
		return err
	}
	// cobra puts its suggestions on lines of their own.
	msg, more, _ := strings.Cut(err.Error(), "\n")
	if _, guess, ok := strings.Cut(more, "\n\t"); ok {
		guess, _, _ = strings.Cut(guess, "\n")
		return usagef("%s", msg).WithHint("did you mean: %s %s", cmd.CommandPath(), guess)
	}
	return usagef("%s", msg).WithHint("see: %s --help", cmd.CommandPath())
}

// exitCode is the one switch from an error to the program's exit code.
func exitCode(err error) int {
	switch ota.KindOf(err) {
	case ota.KindInvalid:
		if ota.CodeOf(err) == codeUsage {
			return exitUsage
		}
		return exitFailure
	case ota.KindNotFound:
		return exitNotFound
	case ota.KindConflict:
		if ota.CodeOf(err) == client.CodeApprovalRequired {
			return exitWaiting
		}
		if ota.CodeOf(err) == codeScanBlocked {
			return exitBlocked
		}
		return exitConflict
	case ota.KindUnauthorized, ota.KindForbidden:
		return exitNotAllowed
	case ota.KindUnavailable:
		return exitUnreachable
	case ota.KindInternal, ota.KindTooLarge:
	}
	return exitFailure
}
