package cli

import (
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/spf13/pflag"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
	"github.com/waxwing-ota/waxwing/internal/sim"
)

// sealedFleetFlags make the devices of simulate --server ones of sealed updates.
type sealedFleetFlags struct {
	on    bool
	root  string
	class string
	enrol bool
}

func (s *sealedFleetFlags) bind(f *pflag.FlagSet) {
	f.BoolVar(&s.on, "sealed", false, "with --server: the devices take sealed updates")
	f.StringVar(&s.root, "root", "root.json", "with --sealed: signed root that the native app was made with")
	f.StringVar(&s.class, "class", sealed.ClassProduction, "with --sealed: lowest class that is taken, production or staging")
	f.BoolVar(&s.enrol, "enrol", false, "with --sealed: enrol all devices, so that they report (default: those that meet an encrypted bundle)")
}

// fleet reads the root; nil = the devices take plain updates.
func (s *sealedFleetFlags) fleet(publicKey bool) (*sim.SealedFleet, error) {
	if !s.on {
		return nil, nil //nolint:nilnil // it was not asked for
	}
	if publicKey {
		return nil, usagef("--public-key is for plain updates: devices of sealed ones believe --root")
	}
	root, made, err := readRoot(s.root)
	if err != nil {
		return nil, err
	}
	return &sim.SealedFleet{Root: root, Made: made, Class: s.class, Enrol: s.enrol}, nil
}

// readRoot returns a root file and when it was written, which stands for the time
// at which the native app was made.
func readRoot(name string) ([]byte, time.Time, error) {
	root, err := os.ReadFile(name)
	var made time.Time
	if err == nil {
		var fi os.FileInfo
		if fi, err = os.Stat(name); err == nil {
			made = fi.ModTime().Truncate(time.Second)
		}
	}
	if err != nil {
		return nil, made, ota.NotFound("root_file_missing", "cannot read the root %s", name).WithCause(err).
			WithHint("it is root.json of waxwing trust, signed; name it with --root")
	}
	return root, made, nil
}

// sealedRows are the lines of a report that only devices of sealed updates have.
func sealedRows(s *sim.SealedSeen) [][]string {
	if s == nil {
		return nil
	}
	return [][]string{
		row("devices enrolled", strconv.Itoa(s.Enrolled)),
		row("refused by devices", counts(s.Refused)),
		row("sent back to the built-in bundle", strconv.Itoa(s.Reverted)),
		row("files", fmt.Sprintf("%d kept, %d patched, %d fetched, %s", s.Kept, s.Patched, s.Fetched, bytesText(s.Bytes))),
	}
}
