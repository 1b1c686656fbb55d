package cli

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/client"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// orgFlag binds --org for lists and for what is made in an organisation.
func orgFlag(c *cobra.Command, org *string, help string) {
	c.Flags().StringVar(org, "org", "", help)
}

// parseScope reads org, org/app or org/app/channel.
func parseScope(text string) (ota.Scope, error) {
	parts := strings.Split(text, "/")
	if len(parts) > 3 || strings.Contains("/"+text+"/", "//") {
		return ota.Scope{}, usagef("%q is no scope", text).WithHint("write it like main, main/com.example.app or main/com.example.app/beta")
	}
	parts = append(parts, "", "")
	return ota.Scope{Org: parts[0], App: parts[1], Channel: parts[2]}, nil
}

// number reads an id from the command line.
func number(what, text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 {
		return 0, usagef("%q is no %s id", text, what).WithHint("the list command shows the ids")
	}
	return n, nil
}

// findUser finds a user by id or mail address.
func findUser(ctx context.Context, cl *client.Client, who string) (int64, error) {
	if !strings.Contains(who, "@") {
		return number("user", who)
	}
	u, err := cl.UserByEmail(ctx, who)
	return u.ID, err
}

// state is how a disabled subject is shown in tables.
func state(disabledAt int64) string {
	if disabledAt == 0 {
		return "active"
	}
	return "disabled"
}

// printMade prints something that was made or changed: as JSON, or as a sentence.
func (g *Globals) printMade(v any, format string, a ...any) error {
	return g.Print(v, func(w io.Writer) { fmt.Fprintln(w, clean(fmt.Sprintf(format, a...))) })
}

func itoa(id int64) string { return strconv.FormatInt(id, 10) }
