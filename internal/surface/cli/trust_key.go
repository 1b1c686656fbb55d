package cli

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
	"github.com/waxwing-ota/waxwing/internal/keyfile"
	"github.com/waxwing-ota/waxwing/internal/trustdir"
)

func newTrustKeyCommand(g *Globals) *cobra.Command {
	return newGroup("key", "Make a key for sealed updates, show one", newTrustKeyCreateCommand(g), newTrustKeyShowCommand(g))
}

// trustKey is what trust key prints.
type trustKey struct {
	trustKeyID
	File       string `json:"file,omitempty"`
	PublicFile string `json:"public_file,omitempty"`
	Protected  bool   `json:"protected"`
	Public     string `json:"public"` // PEM
}

func newTrustKeyCreateCommand(g *Globals) *cobra.Command {
	var out string
	pass := passphrase{g: g}
	c := &cobra.Command{
		Use:   "create",
		Short: "Make a P-256 key and write it to a file",
		Long: `Make a P-256 key for a role of sealed updates and write it to FILE (mode 0600,
under a passphrase unless told otherwise) and its public half to FILE.pub. Each
holder does this on a machine of their own and hands out FILE.pub only. A key on a
token needs no file: make it with the token's own tools, see docs/sealed/guide.md.`,
		Example: "  waxwing trust key create --out alice.key",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			k, err := makeTrustKey(&pass, out)
			if err != nil {
				return err
			}
			return g.Print(k, func(w io.Writer) { printTrustKey(w, &k) })
		},
	}
	c.Flags().StringVar(&out, "out", "", "file of the private key (required)")
	require(c, "out")
	pass.bindNew(c.Flags())
	return c
}

func makeTrustKey(pass *passphrase, out string) (trustKey, error) {
	phrase, err := pass.choose(out)
	if err != nil {
		return trustKey{}, err
	}
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return trustKey{}, err
	}
	if err := keyfile.WriteP256(out, private, phrase); err != nil {
		return trustKey{}, err
	}
	public, err := p256.FromPublic(&private.PublicKey)
	return trustKey{
		trustKeyID: trustKeyIDOf(public.ID(), ""), File: out, PublicFile: out + keyfile.PublicSuffix,
		Protected: !phrase.IsZero(), Public: public.Val.Public,
	}, err
}

func printTrustKey(w io.Writer, k *trustKey) {
	fmt.Fprintf(w, "key    %s\nwords  %s\n", trustdir.Groups(k.ID), k.Words)
	if k.File != "" {
		fmt.Fprintf(w, "private half in %s (keep it, and a backup, where nobody else is), public half in %s\n", clean(k.File), clean(k.PublicFile))
	}
}

func newTrustKeyShowCommand(g *Globals) *cobra.Command {
	var keys keyFlags
	c := &cobra.Command{
		Use:   "show KEY",
		Short: "Show a key's id, for comparing it by voice",
		Long: `Show the id of a key, in groups of digits and as words, and its public half. KEY is
a file with a public key, or a signer: ` + signerHelp + `.`,
		Example: "  waxwing trust key show alice.key.pub\n  waxwing trust key show 'pkcs11:token=alice;object=root'",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			public, err := publicP256(cmd.Context(), &keys, args[0])
			if err != nil {
				return err
			}
			k := trustKey{trustKeyID: trustKeyIDOf(public.ID(), ""), Public: public.Val.Public}
			return g.Print(k, func(w io.Writer) {
				printTrustKey(w, &k)
				fmt.Fprint(w, k.Public)
			})
		},
	}
	keys.bind(g, c)
	return c
}

// publicP256 reads a public key: of a file in PEM, of FILE.pub beside a key file,
// or of a signer.
func publicP256(ctx context.Context, keys *keyFlags, source string) (p256.Key, error) {
	path := strings.TrimPrefix(source, "file:")
	for _, name := range []string{path, path + keyfile.PublicSuffix} {
		if st, err := os.Stat(name); err != nil || st.IsDir() {
			continue
		}
		b, err := readBounded(name)
		if err != nil {
			return p256.Key{}, err
		}
		if strings.Contains(string(b), "-----BEGIN PUBLIC KEY-----") {
			k, err := p256.ParsePEM(string(b))
			if err != nil {
				return k, ota.Invalid("key_invalid", "%s holds no public key of P-256", name).
					WithHint("keys of sealed updates are made with waxwing trust key create")
			}
			return k, nil
		}
	}
	s, err := keys.open(ctx, source)
	if err != nil {
		return p256.Key{}, err
	}
	return s.Public(), nil
}

// namedKey is a key on the command line: NAME=KEY or KEY.
type namedKey struct {
	name string
	key  p256.Key
}

func readNamedKey(ctx context.Context, keys *keyFlags, text string) (namedKey, error) {
	name, source, ok := strings.Cut(text, "=")
	if !ok || !regexp.MustCompile(`^[\pL\pN @_-][\pL\pN @._-]{0,63}$`).MatchString(name) {
		name, source = "", text // such as pkcs11:token=T;object=K
	}
	k, err := publicP256(ctx, keys, source)
	return namedKey{name, k}, err
}
