package publish

import (
	"context"
	"io"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/provenance"
	"github.com/waxwing-ota/waxwing/internal/core/sbom"
	"github.com/waxwing-ota/waxwing/internal/core/seal"
)

// Provenance is what is said of where a build came from besides what push knows.
type Provenance struct {
	Facts  provenance.Facts // Origin, Inputs, Tool and At; the rest is filled in
	Random io.Reader        // cryptographic, for the signatures
}

// documents uploads what is told of the bundle besides its content, and names it
// in the request.
func (p *push) documents(ctx context.Context, in *ota.NewBundle) error {
	if p.o.SBOM != nil {
		in.SBOM = ota.Sum(p.o.SBOM)
		if err := p.up.send(ctx, in.SBOM, p.o.SBOM); err != nil {
			return err
		}
	}
	if p.o.Provenance == nil {
		return nil
	}
	f := p.o.Provenance.Facts
	f.App, f.Version, f.Channel, f.Tree, f.Variants, f.SBOM = p.o.App, p.o.Version, p.o.Channel, p.scan.Tree, in.Variants, in.SBOM
	envelope, err := provenance.Sign(p.o.Provenance.Random, provenance.New(f), p.target.keys)
	if err != nil {
		return err
	}
	in.Provenance = ota.Sum(envelope)
	p.provenance = in.Provenance
	return p.up.send(ctx, in.Provenance, envelope)
}

// ProvenanceCheck is what is known of where a published bundle came from.
type ProvenanceCheck struct {
	Present  bool              `json:"present"`
	SignedBy []string          `json:"signed_by"` // ids of the keys whose signatures are right
	Origin   provenance.Origin `json:"origin"`
	Tool     string            `json:"tool"`
	At       string            `json:"at"`
}

// documentSource is what reads the documents of bundles; client.Client is one.
type documentSource interface {
	Keys(ctx context.Context, app string) ([]ota.Key, error)
	SBOM(ctx context.Context, app, version string) ([]byte, error)
	Provenance(ctx context.Context, app, version string) ([]byte, error)
}

// verifyDocuments checks that the provenance is about what is served and signed
// by the key that the caller trusts or, if they named none, by one that the
// server has for the app; and that the SBOM is the one it names.
func verifyDocuments(ctx context.Context, c documentSource, p Published, b ota.Bundle, rep *Report) error {
	rep.Provenance = &ProvenanceCheck{SignedBy: []string{}}
	if !b.SBOM.IsZero() {
		raw, err := c.SBOM(ctx, p.App, p.Version)
		if err == nil && ota.Sum(raw) != b.SBOM {
			err = bad("blob_mismatch", "the SBOM is not the one the server names")
		}
		if err == nil {
			_, err = sbom.Parse(raw)
		}
		if err != nil {
			if err := rep.faultUnlessBroken(ctx, "sbom", err); err != nil {
				return err
			}
		}
	}
	if b.Provenance.IsZero() {
		if !rep.foreign { // no other tool says so
			rep.note("the bundle does not say where it came from")
		}
		return nil
	}
	raw, err := c.Provenance(ctx, p.App, p.Version)
	if err != nil {
		return rep.faultUnlessBroken(ctx, "provenance", err)
	}
	keys, err := trusted(ctx, c, p)
	if err != nil {
		return err
	}
	v, err := provenance.Open(raw, keys)
	if err == nil {
		err = v.Statement.About(&b)
	}
	if err != nil {
		rep.fault("provenance", err)
		return nil
	}
	run := v.Statement.Predicate.RunDetails
	rep.Provenance = &ProvenanceCheck{
		Present: true, SignedBy: append([]string{}, v.SignedBy...), Origin: v.Statement.Origin(),
		Tool: run.Builder.Version["waxwing"], At: run.Metadata.FinishedOn,
	}
	if len(v.SignedBy) == 0 {
		rep.note("nobody signed where the bundle came from: whoever may publish could have written it")
	}
	return nil
}

func trusted(ctx context.Context, c documentSource, p Published) ([]*seal.PublicKey, error) {
	if p.Key != nil {
		return []*seal.PublicKey{p.Key}, nil
	}
	registered, err := c.Keys(ctx, p.App)
	if err != nil {
		return nil, err
	}
	var keys []*seal.PublicKey
	for _, k := range registered {
		pub, err := seal.ParsePublicKey([]byte(k.PublicPEM))
		if err != nil {
			return nil, err
		}
		keys = append(keys, pub)
	}
	return keys, nil
}
