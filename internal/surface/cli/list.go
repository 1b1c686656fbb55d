package cli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// listing is the JSON form of every list, as the API has it.
type listing[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next"` // goes to --after for the next page; "" = the end
}

// pageFlags binds --limit and --after.
func pageFlags(f *pflag.FlagSet, p *ota.Page) {
	f.IntVar(&p.Limit, "limit", 50, "how many to list, at most 500")
	f.StringVar(&p.After, "after", "", "go on after the page whose \"next\" this is")
}

// printList prints a list as JSON or as a table with a head.
func printList[T any](g *Globals, items []T, next string, head []string, cells func(T) []string) error {
	if items == nil {
		items = []T{}
	}
	err := g.Print(listing[T]{items, next}, func(w io.Writer) {
		rows := [][]string{head}
		for _, it := range items {
			rows = append(rows, row(cells(it)...))
		}
		table(w, rows)
	})
	if next != "" && !g.JSON {
		g.Note("there is more: --after %s", next)
	}
	return err
}

// appFlag binds the required --app.
func appFlag(c *cobra.Command, app *string) {
	c.Flags().StringVar(app, "app", "", "app id, such as com.example.shop (required)")
	require(c, "app")
}

// channelFlag binds the required --channel.
func channelFlag(c *cobra.Command, channel *string) {
	c.Flags().StringVar(channel, "channel", "", "name of the channel (required)")
	require(c, "channel")
}

// require marks a flag that was just bound as required.
func require(c *cobra.Command, flag string) {
	// It fails only for a flag that does not exist.
	_ = c.MarkFlagRequired(flag)
}

// facts prints aligned "name  value" lines; an empty value is "-".
func facts(w io.Writer, pairs ...string) {
	var rows [][]string
	for i := 0; i+1 < len(pairs); i += 2 {
		rows = append(rows, row(pairs[i], pairs[i+1]))
	}
	table(w, rows)
}

// done is the JSON form of a command that has nothing to show.
type done struct {
	Done   bool   `json:"done"`
	Object string `json:"object"`
}

// printDone says that something was done to an object.
func (g *Globals) printDone(object, format string, a ...any) error {
	return g.Print(done{true, object}, func(w io.Writer) { fmt.Fprintln(w, clean(fmt.Sprintf(format, a...))) })
}
