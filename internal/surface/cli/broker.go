package cli

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/broker"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
	"github.com/waxwing-ota/waxwing/internal/keyfile"
)

func newBrokerCommand(g *Globals) *cobra.Command {
	return newGroup(
		"broker", "A key broker: decides away from the update server which devices get content keys",
		newBrokerServeCommand(g),
		newBrokerKeygenCommand(g),
		newGroup("config", "The broker's configuration", newBrokerCheckCommand(g)),
	)
}

// openBroker reads the configuration and opens both keys.
func openBroker(g *Globals, path string, pass *passphrase) (*broker.Broker, *broker.Config, error) {
	cfg, err := broker.Load(path)
	if err != nil {
		return nil, nil, err
	}
	var keys [2]*ecdsa.PrivateKey
	for i, file := range []string{cfg.KeyPath(), cfg.SigningKeyPath()} {
		if keys[i], err = keyfile.ReadP256(file, func() (keyfile.Secret, error) { return pass.unlock(file) }); err != nil {
			return nil, nil, err
		}
	}
	b, err := broker.New(cfg, keys[0], keys[1], time.Now, serverLog(g))
	return b, cfg, err
}

func newBrokerServeCommand(g *Globals) *cobra.Command {
	var config, listen, cert, key string
	pass := passphrase{g: g}
	c := &cobra.Command{
		Use:   "serve",
		Short: "Run a key broker",
		Long: `Run a key broker: it holds the key that publishers seal content keys to,
checks the certificates of devices and its own policy, and answers with the
content key encrypted to the device. The update server only passes requests on
and cannot read them; devices can also ask the broker themselves.

It answers POST /v1/grant, GET /v1/keys and GET /healthz.`,
		Example: "  waxwing broker serve --config broker.json --listen :8443 --tls-cert cert.pem --tls-key key.pem",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if (cert == "") != (key == "") {
				return usagef("--tls-cert and --tls-key come together")
			}
			b, _, err := openBroker(g, config, &pass)
			if err != nil {
				return err
			}
			l, err := (&net.ListenConfig{}).Listen(cmd.Context(), "tcp", listen)
			if err != nil {
				return ota.Invalid("listen_failed", "cannot listen on %s", listen).WithCause(err).WithField("listen").WithHint("choose an address with --listen")
			}
			address := "http://" + l.Addr().String()
			if cert != "" {
				pair, err := tls.LoadX509KeyPair(cert, key)
				if err != nil {
					_ = l.Close()
					return ota.Invalid("tls_invalid", "cannot use the TLS certificate %s with the key %s", cert, key).WithCause(err).WithField("tls-cert")
				}
				l = tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}})
				address = "https://" + l.Addr().String()
			}
			started := struct {
				Address string `json:"address"`
				broker.Keys
			}{address, b.Keys()}
			if err := g.Print(started, func(w io.Writer) { fmt.Fprintf(w, "the broker answers on %s\n", address) }); err != nil {
				_ = l.Close()
				return err
			}
			return b.Run(cmd.Context(), l)
		},
	}
	f := c.Flags()
	f.StringVar(&config, "config", "", "configuration file (required)")
	f.StringVar(&listen, "listen", "127.0.0.1:8090", "host:port to listen on; port 0 takes a free one")
	f.StringVar(&cert, "tls-cert", "", "PEM file of the certificate chain")
	f.StringVar(&key, "tls-key", "", "PEM file of the certificate's key")
	pass.bind(f)
	require(c, "config")
	return c
}

func newBrokerKeygenCommand(g *Globals) *cobra.Command {
	var out, signing string
	pass := passphrase{g: g}
	c := &cobra.Command{
		Use:   "keygen",
		Short: "Make the two keys of a broker",
		Long: `Make the two keys of a broker: one that publishers seal content keys to, and
one that the broker signs grants with. The public halves go into the app's
trust.json: hpke into its list broker, the signing key into its authorities.`,
		Example: "  waxwing broker keygen --out broker.key --signing-out broker-signing.key",
		Args:    cobra.NoArgs,
		RunE: func(_ *cobra.Command, _ []string) error {
			secret, err := pass.choose(out)
			if err != nil {
				return err
			}
			var keys [2]*ecdsa.PrivateKey
			for i, path := range []string{out, signing} {
				if keys[i], err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
					return err
				}
				if err := keyfile.WriteP256(path, keys[i], secret); err != nil {
					return err
				}
			}
			point, err := keys[0].PublicKey.Bytes()
			if err != nil {
				return err
			}
			signs, err := p256.FromPublic(&keys[1].PublicKey)
			if err != nil {
				return err
			}
			made := broker.Keys{HPKE: hex.EncodeToString(point), Signing: signs.Val.Public, KeyID: signs.ID()}
			return g.Print(made, func(w io.Writer) {
				facts(w, "hpke", made.HPKE, "key file", out, "signing key", made.KeyID, "key file", signing)
				fmt.Fprint(w, made.Signing)
			})
		},
	}
	f := c.Flags()
	f.StringVar(&out, "out", "broker.key", "file of the key that content keys are sealed to")
	f.StringVar(&signing, "signing-out", "broker-signing.key", "file of the key that grants are signed with")
	pass.bindNew(f)
	return c
}

func newBrokerCheckCommand(g *Globals) *cobra.Command {
	var config string
	pass := passphrase{g: g}
	c := &cobra.Command{
		Use:   "check",
		Short: "Check a configuration and open its keys, without serving",
		Args:  cobra.NoArgs,
		RunE: func(_ *cobra.Command, _ []string) error {
			b, cfg, err := openBroker(g, config, &pass)
			if err != nil {
				return err
			}
			apps := make([]string, len(cfg.Apps))
			for i := range cfg.Apps {
				apps[i] = cfg.Apps[i].App
			}
			checked := struct {
				OK   bool     `json:"ok"`
				Apps []string `json:"apps"`
				broker.Keys
			}{true, apps, b.Keys()}
			return g.Print(checked, func(w io.Writer) {
				facts(w, "apps", fmt.Sprint(len(apps)), "hpke", checked.HPKE, "signing key", checked.KeyID)
			})
		},
	}
	c.Flags().StringVar(&config, "config", "", "configuration file (required)")
	pass.bind(c.Flags())
	require(c, "config")
	return c
}
