package cli

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"

	"github.com/spf13/pflag"

	"github.com/waxwing-ota/waxwing/internal/core/cobblestone"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
	"github.com/waxwing-ota/waxwing/internal/publish"
)

// sealedFlags are those of push that are about sealed updates.
type sealedFlags struct {
	on        bool
	class     string
	epochKey  string
	epoch     int64
	noDedupe  bool
	noEncrypt bool
	noPatches bool
	platforms []string
	maxNative string
	floor     int64
}

func (s *sealedFlags) bind(f *pflag.FlagSet) {
	f.BoolVar(&s.on, "sealed", false, "publish it for devices of sealed updates: encrypted, with a signed manifest; --key then names the signer of the staging role")
	f.StringVar(&s.class, "class", sealed.ClassStaging, "class of the manifest: staging, which the CI key signs at once, or production, which waits for the release keys")
	f.StringVar(&s.epochKey, "epoch-key", "", "file of the content key, which is made if there is none: further pushes with it reuse what is stored")
	f.Int64Var(&s.epoch, "epoch", 0, "epoch that the content key must be of (default: that of the file, or a new one)")
	f.BoolVar(&s.noDedupe, "no-dedupe", false, "encrypt under a key of this release alone: nobody sees which files it has in common with others")
	f.BoolVar(&s.noEncrypt, "no-encrypt", false, "sign it and leave it readable")
	f.BoolVar(&s.noPatches, "no-patches", false, "make no compressed forms and no patches against the release before")
	f.StringSliceVar(&s.platforms, "platform", nil, "platforms that may run it (default: android, electron, ios)")
	f.StringVar(&s.maxNative, "max-native", "", "highest native version that may run it")
	f.Int64Var(&s.floor, "floor", 0, "once a device ran it, it never runs a bundle with a lower number again")
}

// sealed turns the flags into options of package publish.
func (o *pushOptions) sealed(ctx context.Context, g *Globals) (*publish.Sealed, error) {
	s := &o.seal
	if !s.on {
		return nil, nil //nolint:nilnil // it was not asked for
	}
	if s.class != sealed.ClassStaging && s.class != sealed.ClassProduction {
		return nil, usagef("--class is %s or %s", sealed.ClassStaging, sealed.ClassProduction)
	}
	out := &publish.Sealed{
		Class: s.class, Random: rand.Reader, NoDedupe: s.noDedupe, NoEncrypt: s.noEncrypt, NoPatches: s.noPatches,
		Platforms: slices.Compact(slices.Sorted(slices.Values(s.platforms))), MaxNative: s.maxNative, Floor: s.floor,
	}
	if len(o.keys) > 1 {
		return nil, usagef("a sealed push takes one --key: the signer of the staging role")
	}
	if len(o.keys) == 1 && s.class == sealed.ClassProduction {
		return nil, usagef("release keys sign elsewhere: a production push takes no --key").
			WithHint("push without it, then: waxwing trust approve %s", o.Version)
	}
	if len(o.keys) == 1 {
		var err error
		k := keyFlags{pass: o.pass}
		if out.Signer, err = k.open(ctx, o.keys[0]); err != nil {
			return nil, err
		}
	}
	return out, s.readKey(g, o.App, out)
}

// readKey reads the content key that an earlier push kept, and has a new one kept.
func (s *sealedFlags) readKey(g *Globals, app string, out *publish.Sealed) error {
	if s.epochKey == "" || s.noEncrypt {
		if s.epoch != 0 {
			return usagef("--epoch needs the file of its key: --epoch-key FILE")
		}
		return nil
	}
	raw, err := os.ReadFile(s.epochKey)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return ota.Invalid("epoch_key_unreadable", "cannot read %s: %s", s.epochKey, err).WithField("epoch-key").WithHint("check that you may read it")
	default:
		if out.Epoch, out.Key, err = publish.ParseEpochKey(raw, app); err != nil {
			return err
		}
	}
	if s.epoch != 0 && s.epoch != out.Epoch {
		return ota.Conflict("epoch_key_other", "the key in %s is of epoch %d, not %d", s.epochKey, out.Epoch, s.epoch).WithField("epoch").
			WithHint("name the file of that epoch's key; only who made it has it")
	}
	out.Keep = func(epoch int64, key cobblestone.Key) error {
		if s.noDedupe {
			return nil // nobody needs it again
		}
		g.Note("epoch %d begins; its key is kept in %s", epoch, s.epochKey)
		return writeEpochKey(s.epochKey, publish.EpochKey{App: app, Epoch: epoch, Key: key.Reveal()})
	}
	return nil
}

// writeEpochKey replaces the file whole or not at all.
func writeEpochKey(path string, k publish.EpochKey) error {
	b, err := json.Marshal(k)
	if err != nil {
		return err
	}
	tmp := path + ".new"
	if err := os.WriteFile(tmp, append(b, '\n'), 0o600); err != nil {
		return ota.Invalid("file_unwritable", "cannot write %s: %s", tmp, err).WithField("epoch-key").WithHint("name a file that you may write")
	}
	if err := os.Rename(tmp, path); err != nil {
		return ota.Invalid("file_unwritable", "cannot write %s: %s", path, err).WithField("epoch-key").WithHint("name a file that you may write")
	}
	return nil
}

func printSealedReport(w io.Writer, s *publish.SealedReport) {
	for _, p := range s.Problems {
		fmt.Fprintln(w, clean(fmt.Sprintf("FAIL  manifest %d, %s: %s (%s)", s.Seq, p.Object, p.Message, p.Code)))
	}
	if s.OK {
		fmt.Fprintf(w, "ok    %s manifest %d (%s): %d sealed files, %s; %d patches\n", s.Class, s.Seq, s.Mode, s.Files.Count, bytesText(s.Files.Bytes), s.Patches.Count)
	}
}

func printSealed(w io.Writer, s *publish.SealedResult) {
	if s == nil {
		return
	}
	what := "not encrypted"
	if s.Epoch > 0 {
		what = fmt.Sprintf("encrypted under epoch %d", s.Epoch)
	}
	fmt.Fprintf(w, "  sealed: %s manifest %d, %s\n", s.Class, s.Seq, what)
	if s.Created {
		fmt.Fprintf(w, "    uploaded %d files, %s; reused %d, %s; %d patches\n", s.Uploaded.Count, bytesText(s.Uploaded.Bytes), s.Reused.Count, bytesText(s.Reused.Bytes), s.Patches.Count)
	}
	if s.Approved {
		fmt.Fprintln(w, "    signed metadata lists it: devices may be given it")
	}
}
