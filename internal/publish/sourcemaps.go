package publish

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"path"
	"slices"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/pack"
	"github.com/waxwing-ota/waxwing/internal/core/sourcemap"
)

// maxMapsSent is how many maps go in one request.
const maxMapsSent = 500

const mapSuffix = ".map"

// mapServer is the part of the admin API that takes source maps.
type mapServer interface {
	blobs
	AddSourceMaps(ctx context.Context, app, version string, in ota.NewSourceMaps) error
}

// withoutMaps is a folder in which source maps are not seen: what is published
// from it cannot hold one.
type withoutMaps struct{ fs.FS }

// Open implements [fs.FS].
func (f withoutMaps) Open(name string) (fs.File, error) {
	if isMap(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	file, err := f.FS.Open(name)
	if err != nil {
		return nil, err
	}
	dir, ok := file.(fs.ReadDirFile)
	if !ok {
		return file, nil
	}
	st, err := file.Stat()
	if err != nil || !st.IsDir() {
		return file, nil //nolint:nilerr // reading it tells
	}
	return mapless{dir}, nil
}

// ReadFile implements [fs.ReadFileFS].
func (f withoutMaps) ReadFile(name string) ([]byte, error) {
	if isMap(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return fs.ReadFile(f.FS, name)
}

// mapless is a folder whose listing leaves source maps out.
type mapless struct{ fs.ReadDirFile }

// ReadDir implements [fs.ReadDirFile].
func (d mapless) ReadDir(n int) ([]fs.DirEntry, error) {
	for {
		entries, err := d.ReadDirFile.ReadDir(n)
		kept := slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return !e.IsDir() && isMap(e.Name()) })
		if len(kept) > 0 || len(entries) == 0 || err != nil {
			return kept, err
		}
	}
}

func isMap(name string) bool { return pack.IsSourceMap(name) }

// FindMaps lists the source maps in a folder by the paths of their scripts:
// main.js.map is about main.js. Folders that never belong to an app are left out.
func FindMaps(ctx context.Context, dir fs.FS) (map[string]string, error) {
	found := map[string]string{}
	err := fs.WalkDir(dir, ".", func(p string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case e.IsDir() && e.Name() == "node_modules":
			return fs.SkipDir
		case e.Type().IsRegular() && isMap(p):
			if script := p[:len(p)-len(mapSuffix)]; isScript(script) {
				found[script] = p
			}
		}
		return nil
	})
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, ota.Invalid("file_unreadable", "the folder of source maps cannot be read").WithCause(err).WithField("source-maps").WithHint("check that it is there and that you may read it")
	}
	return found, nil
}

func isScript(p string) bool {
	switch path.Ext(p) {
	case ".js", ".mjs", ".cjs":
		return true
	}
	return false // of styles, which no stack names
}

// SendMaps uploads the source maps of a folder and adds them to a bundle. It
// returns how many there were. A map that cannot be read is left out, and the
// warning says so.
func SendMaps(ctx context.Context, c mapServer, app, version string, dir fs.FS) (int, []Warning, error) {
	found, err := FindMaps(ctx, dir)
	if err != nil {
		return 0, nil, err
	}
	return sendMaps(ctx, c, newUploader(c, app), version, dir, found)
}

func sendMaps(ctx context.Context, c mapServer, up *uploader, version string, dir fs.FS, found map[string]string) (int, []Warning, error) {
	var in ota.NewSourceMaps
	var warnings []Warning
	for _, script := range sortedScripts(found) {
		raw, err := readMap(dir, found[script])
		if err == nil {
			_, err = sourcemap.Parse(raw)
		}
		if err == nil {
			err = pack.CheckPath(script)
		}
		if err != nil {
			warnings = append(warnings, warning("source_map_invalid", "%s is left out: %s", found[script], err))
			continue
		}
		d := ota.Sum(raw)
		if err := up.send(ctx, d, raw); err != nil {
			return 0, warnings, err
		}
		in.Maps = append(in.Maps, ota.NewSourceMap{Path: script, Blob: d})
	}
	for some := range slices.Chunk(in.Maps, maxMapsSent) {
		if err := c.AddSourceMaps(ctx, up.app, version, ota.NewSourceMaps{Maps: some}); err != nil {
			return 0, warnings, err
		}
	}
	return len(in.Maps), warnings, nil
}

func sortedScripts(found map[string]string) []string {
	scripts := make([]string, 0, len(found))
	for s := range found {
		scripts = append(scripts, s)
	}
	slices.Sort(scripts)
	return scripts
}

func readMap(dir fs.FS, name string) ([]byte, error) {
	st, err := fs.Stat(dir, name)
	if err != nil {
		return nil, err
	}
	if st.Size() > sourcemap.MaxBytes {
		return nil, ota.Errorf(ota.KindTooLarge, "source_map_invalid", "it has %d bytes, at most %d are read", st.Size(), sourcemap.MaxBytes)
	}
	return fs.ReadFile(dir, name)
}

// reference is how scripts and styles name their map.
var reference = []byte("sourceMappingURL=")

// checkReferences refuses scripts that carry their sources, and warns of those
// that name a map: the map is not in the bundle, so the name helps only those
// who look for it elsewhere.
func (p *push) checkReferences() error {
	var named []string
	for _, f := range p.scan.Files {
		if !isScript(f.Path) && path.Ext(f.Path) != ".css" && path.Ext(f.Path) != ".html" {
			continue
		}
		raw, err := fs.ReadFile(p.o.Dir, f.Path)
		if err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			return err
		}
		at := bytes.LastIndex(raw, reference)
		if at < 0 {
			continue
		}
		to := raw[at+len(reference):]
		if i := bytes.IndexAny(to, " \t\r\n'\"*"); i >= 0 {
			to = to[:i]
		}
		switch {
		case !isScript(f.Path) && !bytes.HasPrefix(to, []byte("data:")):
		case bytes.HasPrefix(to, []byte("data:application/json")) && !p.o.AllowInlineMaps:
			return ota.Invalid("source_map_inline", "%s has its source map inside: every device would get the sources", f.Path).WithField("dir").
				WithHint("build with external maps (sourcemap: 'hidden'), which push takes out and keeps private; --allow-inline-source-maps publishes it all the same")
		case bytes.HasPrefix(to, []byte("http://")), bytes.HasPrefix(to, []byte("https://")):
			p.warn("source_map_public", "%s names a source map at a public address", f.Path)
		case len(to) > 0 && isMap(string(to)):
			named = append(named, f.Path)
		}
	}
	if len(named) > 0 {
		p.warn("source_map_named", "%d scripts, the first %s, name source maps that are not in the bundle; build with hidden source maps to leave the names out", len(named), named[0])
	}
	return nil
}

// sendMaps uploads the source maps that the build, or the folder that was named,
// has, for a bundle that is published.
func (p *push) sendMaps(ctx context.Context) error {
	dir := p.maps
	if p.o.SourceMaps != nil {
		dir = p.o.SourceMaps
	}
	if p.o.NoSourceMaps || dir == nil {
		return nil
	}
	found, err := FindMaps(ctx, dir)
	if err != nil || len(found) == 0 {
		return err
	}
	p.progress.Phase("sending source maps")
	n, warnings, err := sendMaps(ctx, p.server, p.up, p.o.Version, dir, found)
	p.result.SourceMaps = n
	p.result.Warnings = append(p.result.Warnings, warnings...)
	if k := ota.KindOf(err); k == ota.KindForbidden || ota.CodeOf(err) == "route_unknown" {
		p.warn("source_maps_refused", "the source maps were not taken, so stacks of errors stay as they are reported: %s", err)
		return nil
	}
	return err
}
