package cli

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/secret"
)

func newTokensCommand(g *Globals) *cobra.Command {
	c := newGroup("tokens", "Create, rotate and revoke API tokens",
		newTokensCreateCommand(g), newTokensListCommand(g), newTokensShowCommand(g), newTokensRotateCommand(g), newTokensDeleteCommand(g),
		newTokensExchangeCommand(g))
	c.Aliases = []string{"token"}
	return c
}

// tokenID reads the id of a token from the command line.
func tokenID(arg string) (int64, error) {
	id, err := strconv.ParseInt(arg, 10, 64)
	if err != nil || id <= 0 {
		return 0, usagef("%q is not the id of a token", arg).WithHint("see: waxwing tokens list")
	}
	return id, nil
}

// printSecret prints a token's secret, the only time that there is one.
func printSecret(g *Globals, text secret.Text, t ota.Token) error {
	out := struct {
		Secret string    `json:"secret"`
		Token  ota.Token `json:"token"`
	}{text.Reveal(), t}
	return g.Print(out, func(w io.Writer) { fmt.Fprintln(w, text.Reveal()) })
}

// tokenOwnerText names whose a token is.
func tokenOwnerText(o ota.TokenOwner) string {
	if o.Kind == ota.TokenOfNobody {
		return "nobody"
	}
	return string(o.Kind) + " " + o.Name
}

// tokenExpiryText says when a token ends, and that it is time to look after it.
func tokenExpiryText(t ota.Token) string {
	switch {
	case t.ExpiresAt == 0:
		return "never"
	case t.Warning == ota.TokenExpired:
		return when(t.ExpiresAt) + " (expired)"
	case t.Warning == ota.TokenExpiresSoon:
		return when(t.ExpiresAt) + " (soon)"
	}
	return when(t.ExpiresAt)
}

// limitsText says what a credential is narrowed to.
func limitsText(l ota.Limits) string {
	var parts []string
	for _, s := range l.Scopes {
		parts = append(parts, s.String())
	}
	if len(l.Actions) > 0 {
		parts = append(parts, strings.Join(l.Actions, " "))
	}
	return strings.Join(parts, ", ")
}

// days is a flag for a time of seconds to years, kept in seconds.
type days int64

// String writes it as whole days if it is.
func (d *days) String() string {
	if *d%86400 == 0 {
		return strconv.FormatInt(int64(*d)/86400, 10) + "d"
	}
	return (time.Duration(*d) * time.Second).String()
}

// Set reads "30d" or a duration such as "24h".
func (d *days) Set(s string) error {
	if n, ok := strings.CutSuffix(s, "d"); ok {
		count, err := strconv.ParseUint(n, 10, 16)
		if err != nil {
			return fmt.Errorf("%q is no time such as 30d or 24h", s)
		}
		*d = days(count * 86400)
		return nil
	}
	v, err := time.ParseDuration(s)
	if err != nil || v < 0 || v%time.Second != 0 {
		return fmt.Errorf("%q is no time such as 30d or 24h", s)
	}
	*d = days(v / time.Second)
	return nil
}

// Type names the value in the help.
func (d *days) Type() string { return "time" }

// scopes is a repeated flag of scopes.
type scopes []ota.Scope

// String writes them with commas.
func (s *scopes) String() string { return limitsText(ota.Limits{Scopes: *s}) }

// Set adds one.
func (s *scopes) Set(text string) error {
	one, err := ota.ParseScope(text)
	if err != nil {
		return err
	}
	*s = append(*s, one)
	return nil
}

// Type names the value in the help.
func (s *scopes) Type() string { return "scope" }
