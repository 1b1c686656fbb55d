package publish

import (
	"context"
	"io/fs"
	"slices"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/pack"
)

// push is one run of Push.
type push struct {
	server   Server
	o        Options
	target   *target
	scan     *pack.Scan
	variants []*variant
	up       *uploader
	progress Progress
	maps     fs.FS  // the build as it is, with source maps
	report   []byte // JSON of the scan's; nil = there was no scan

	provenance ota.Digest // of the statement; zero = none
	result     Result
}

// Push publishes a web build and puts it on a channel. Pushing the same content
// under the same version again changes nothing and succeeds; other content
// under a version that is taken is KindConflict (version_exists).
func Push(ctx context.Context, c Server, o Options) (Result, error) {
	if err := checkOptions(o); err != nil {
		return Result{}, err
	}
	p := &push{server: c, o: o, up: newUploader(c, o.App), progress: o.Progress, maps: o.Dir}
	p.o.Dir = withoutMaps{o.Dir} // devices get no source map, whatever happens below
	if p.progress == nil {
		p.progress = silent{}
	}
	p.result = Result{
		App: o.App, Version: o.Version, Channel: o.Channel, DryRun: o.DryRun,
		Variants: []VariantInfo{}, Warnings: []Warning{},
	}
	err := p.run(ctx)
	return p.result, err
}

func (p *push) run(ctx context.Context) error {
	var err error
	if p.target, err = findTarget(ctx, p.server, p.o); err != nil {
		return err
	}
	if err := p.read(ctx); err != nil {
		return err
	}
	if err := p.checkNatives(ctx); err != nil {
		return err
	}
	if err := p.checkScan(ctx); err != nil {
		return err
	}
	if p.variants, err = newVariants(p.o, p.target, p.scan.Tree); err != nil {
		return err
	}
	there, err := p.askMissing(ctx)
	if err != nil {
		return err
	}
	switch {
	case p.o.DryRun:
		p.result.Skipped = SkippedDry
		return nil
	case there:
		err = p.keep(ctx)
	default:
		err = p.publish(ctx)
	}
	if err != nil {
		return err
	}
	if err := p.sendScan(ctx); err != nil {
		return err
	}
	if err := p.sendMaps(ctx); err != nil {
		return err
	}
	if p.o.Sealed != nil {
		if err := p.publishSealed(ctx); err != nil {
			return err
		}
	}
	return p.release(ctx)
}

// read scans the folder and says what is odd about it.
func (p *push) read(ctx context.Context) error {
	p.progress.Phase("reading the web build")
	scan, err := pack.ScanDir(ctx, p.o.Dir, p.o.Limits)
	if err != nil {
		return err
	}
	p.scan = scan
	p.result.Tree, p.result.Files, p.result.Size = scan.Tree, len(scan.Files), scan.Size
	if err := p.checkReferences(); err != nil {
		return err
	}
	return p.checkBuild()
}

// askMissing asks what the server lacks, in one request. It reports whether
// the bundle is published already.
func (p *push) askMissing(ctx context.Context) (there bool, err error) {
	q := ota.MissingQuery{Version: p.o.Version, Tree: p.scan.Tree, Files: p.scan.Files}
	for _, v := range p.variants {
		q.Encodings = append(q.Encodings, v.encoding())
	}
	ans, err := p.server.Missing(ctx, p.o.App, q)
	if err != nil {
		return false, err
	}
	if ans.Exists && !ans.Same {
		return false, ota.Conflict("version_exists", "version %s of %s is taken, by other content or by a bundle that was deleted", p.o.Version, p.o.App).
			WithField("version").WithHint("a version never changes: push under a new one")
	}
	for i, v := range p.variants {
		if i < len(ans.Known) {
			v.learn(ans.Known[i])
		}
	}
	for _, v := range p.variants {
		info := VariantInfo{KeyID: v.encoding().KeyID, Session: v.kind}
		if !ans.Exists && !p.o.NoManifest {
			info.Missing = p.missing(v)
		}
		p.result.Variants = append(p.result.Variants, info)
	}
	return ans.Exists, nil
}

// missing counts what a variant lacks, and notes what it reuses.
func (p *push) missing(v *variant) Volume {
	var lacks Volume
	for _, f := range p.scan.Files {
		if s, ok := v.has(f); ok {
			p.result.Reused.Count++
			p.result.Reused.Bytes += s.StoredSize
			continue
		}
		lacks.Count++
		lacks.Bytes += f.Size
	}
	return lacks
}

// keep takes a bundle that is published already as it is.
func (p *push) keep(ctx context.Context) error {
	b, err := p.server.Bundle(ctx, p.o.App, p.o.Version)
	if err != nil {
		return err
	}
	p.provenance = b.Provenance
	for i, v := range p.variants {
		id := v.encoding().KeyID
		at := slices.IndexFunc(b.Variants, func(v ota.Variant) bool { return v.KeyID == id })
		if at >= 0 {
			p.result.Variants[i].ZipSize = b.Variants[at].ZipSize
			continue
		}
		what := "for key " + id
		if id == "" {
			what = "in plain"
		}
		p.warn("variant_missing", "version %s was published before without a variant %s; devices that need it get a newer version only", p.o.Version, what)
	}
	if p.o.MinNative != "" && p.o.MinNative != b.MinNative {
		p.warn("settings_kept", "version %s keeps its minimum native version %q; change it with: waxwing bundle set %s --app %s --min-native %s",
			p.o.Version, b.MinNative, p.o.Version, p.o.App, p.o.MinNative)
	}
	return nil
}

// publish uploads what is missing and creates the bundle.
func (p *push) publish(ctx context.Context) error {
	if err := p.upload(ctx); err != nil {
		return err
	}
	p.progress.Phase("publishing")
	in := ota.NewBundle{
		Version: p.o.Version, Tree: p.scan.Files, MinNative: p.o.MinNative,
		Link: p.o.Link, Comment: p.o.Comment, NativePackages: p.o.NativePackages,
		NativeMismatch: p.result.NativeMismatch,
	}
	for i, v := range p.variants {
		out, err := v.finish(p.scan.Files, !p.o.NoManifest)
		if err != nil {
			return err
		}
		p.result.Variants[i].ZipSize = out.ZipSize
		if i == 0 {
			p.checkZip(out.ZipSize)
		}
		in.Variants = append(in.Variants, out)
	}
	if err := p.documents(ctx, &in); err != nil {
		return err
	}
	in.SealedOnly = p.o.Sealed != nil && len(in.Variants) == 0
	_, created, err := p.server.CreateBundle(ctx, p.o.App, in)
	p.result.Created = created
	return err
}

func (p *push) warn(code, format string, a ...any) {
	p.result.Warnings = append(p.result.Warnings, warning(code, format, a...))
}
