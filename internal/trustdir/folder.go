package trustdir

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
	"github.com/waxwing-ota/waxwing/internal/core/tuf"
)

// The files of a folder.
const (
	fileApp      = "app.json"
	fileTargets  = "targets.json"
	fileStaging  = "staging.json"
	fileTrust    = "trust.json"
	fileRoot     = "root.json"
	dirRoots     = "roots"
	dirDraft     = "draft"
	dirManifests = "manifests"
)

// Folder is what a working folder holds. All documents are their exact bytes;
// nil is none.
type Folder struct {
	Path  string
	App   string
	Names map[string]string // what people call keys, by id; nothing depends on it

	Roots     [][]byte // in force, from version 1
	Targets   []byte
	Staging   []byte
	Trust     []byte
	Draft     Draft
	Manifests map[string][]byte // that targets or its draft list, by SHA-256, as far as they are here
}

// Draft is what is to be published next.
type Draft struct {
	Root    []byte
	Targets []byte
	Trust   []byte // trust.json that Targets lists, if it differs from the one in force
}

// about is the content of app.json.
type about struct {
	App   string            `json:"app"`
	Names map[string]string `json:"names"`
}

// Create makes an empty folder, which must not exist yet.
func Create(path, app string) (*Folder, error) {
	if err := ota.CheckAppID(app); err != nil {
		return nil, err
	}
	if _, err := os.Lstat(filepath.Join(path, fileApp)); err == nil {
		return nil, ota.Conflict(CodeExists, "%s is a working folder already", path).
			WithHint("go on with it: waxwing trust status; or name another one with --dir")
	}
	return &Folder{Path: path, App: app, Names: map[string]string{}, Manifests: map[string][]byte{}}, nil
}

// Load reads a folder and checks that all in it verifies.
func Load(path string) (*Folder, error) {
	f := &Folder{Path: path, Names: map[string]string{}, Manifests: map[string][]byte{}}
	raw, err := f.read(fileApp, 1<<20)
	if err != nil {
		return nil, err
	}
	var a about
	if raw == nil {
		return nil, ota.NotFound(CodeFolder, "%s is no working folder", path).
			WithHint("begin with waxwing trust init, or fetch what is in force: waxwing trust pull --app APP")
	}
	if err := json.Unmarshal(raw, &a); err != nil || ota.CheckAppID(a.App) != nil {
		return nil, ota.Invalid(CodeFolder, "%s is damaged", filepath.Join(path, fileApp)).WithHint("it has the members app and names")
	}
	f.App = a.App
	maps.Copy(f.Names, a.Names)
	if err := f.readDocuments(); err != nil {
		return nil, err
	}
	return f, f.Check()
}

func (f *Folder) readDocuments() error {
	for v := 1; ; v++ {
		b, err := f.read(filepath.Join(dirRoots, strconv.Itoa(v)+".root.json"), tuf.MaxRoot)
		if err != nil {
			return err
		}
		if b == nil {
			break
		}
		f.Roots = append(f.Roots, b)
	}
	for _, d := range []struct {
		into *[]byte
		name string
		max  int64
	}{
		{&f.Targets, fileTargets, tuf.MaxDocument},
		{&f.Staging, fileStaging, tuf.MaxDocument},
		{&f.Trust, fileTrust, sealed.MaxTrust},
		{&f.Draft.Root, filepath.Join(dirDraft, fileRoot), tuf.MaxRoot},
		{&f.Draft.Targets, filepath.Join(dirDraft, fileTargets), tuf.MaxDocument},
		{&f.Draft.Trust, filepath.Join(dirDraft, fileTrust), sealed.MaxTrust},
	} {
		var err error
		if *d.into, err = f.read(d.name, d.max); err != nil {
			return err
		}
	}
	entries, err := os.ReadDir(filepath.Join(f.Path, dirManifests))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return unreadable(f.Path, err)
	}
	for _, e := range entries {
		sum, ok := strings.CutSuffix(e.Name(), ".manifest")
		if !ok {
			continue
		}
		b, err := f.read(filepath.Join(dirManifests, e.Name()), sealed.MaxManifest)
		if err != nil {
			return err
		}
		f.Manifests[sum] = b
	}
	return nil
}

// read returns a file of the folder, nil if there is none.
func (f *Folder) read(name string, most int64) ([]byte, error) {
	file, err := os.Open(filepath.Join(f.Path, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, unreadable(name, err)
	}
	defer file.Close()
	b, err := io.ReadAll(io.LimitReader(file, most+1))
	if err != nil {
		return nil, unreadable(name, err)
	}
	if int64(len(b)) > most {
		return nil, ota.Invalid(CodeFolder, "%s has more than the %d bytes that it may have", filepath.Join(f.Path, name), most).
			WithHint("it was damaged; get the folder again")
	}
	return b, nil
}

func unreadable(name string, err error) error {
	return ota.Invalid(CodeFolder, "%s cannot be read", name).WithCause(err).WithHint("run the command as the owner of the folder")
}

// Save writes the folder. A file is replaced as a whole; what is no longer there
// is removed.
func (f *Folder) Save() error {
	for _, dir := range []string{"", dirRoots, dirDraft, dirManifests} {
		if err := os.MkdirAll(filepath.Join(f.Path, dir), 0o755); err != nil {
			return unwritable(f.Path, err)
		}
	}
	a, err := json.MarshalIndent(about{App: f.App, Names: f.Names}, "", "  ")
	if err != nil {
		return unwritable(f.Path, err)
	}
	files := map[string][]byte{
		fileApp: append(a, '\n'), fileTargets: f.Targets, fileStaging: f.Staging, fileTrust: f.Trust,
		filepath.Join(dirDraft, fileRoot): f.Draft.Root, filepath.Join(dirDraft, fileTargets): f.Draft.Targets,
		filepath.Join(dirDraft, fileTrust): f.Draft.Trust,
	}
	for i, b := range f.Roots {
		files[filepath.Join(dirRoots, strconv.Itoa(i+1)+".root.json")] = b
	}
	for sum, b := range f.Manifests {
		files[filepath.Join(dirManifests, sum+".manifest")] = b
	}
	for name, b := range files {
		if err := f.write(name, b); err != nil {
			return err
		}
	}
	return nil
}

func (f *Folder) write(name string, b []byte) error {
	path := filepath.Join(f.Path, name)
	if b == nil {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return unwritable(path, err)
		}
		return nil
	}
	if old, err := os.ReadFile(path); err == nil && string(old) == string(b) {
		return nil
	}
	t, err := os.CreateTemp(filepath.Dir(path), ".trust-*")
	if err != nil {
		return unwritable(path, err)
	}
	defer func() { _ = os.Remove(t.Name()) }() // after the rename it is not there any more
	_, err = t.Write(b)
	if err = errors.Join(err, t.Chmod(0o644), t.Sync(), t.Close()); err == nil {
		err = os.Rename(t.Name(), path)
	}
	if err != nil {
		return unwritable(path, err)
	}
	return nil
}

func unwritable(name string, err error) error {
	return ota.Invalid(CodeFolder, "%s cannot be written", name).WithCause(err).
		WithHint("name a folder that is yours and has room with --dir")
}
