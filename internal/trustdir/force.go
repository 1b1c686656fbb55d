package trustdir

import (
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/sealed"
	"github.com/waxwing-ota/waxwing/internal/core/tuf"
)

// InForce is what a role says and who speaks for it.
type InForce struct {
	Name      string    `json:"name"`
	Version   uint32    `json:"version"` // 0 = none yet
	ExpiresAt time.Time `json:"expires_at,omitzero"`
	Threshold int       `json:"threshold"`
	Keys      []string  `json:"keys"` // ids
	Sha256    string    `json:"sha256"`
}

// InForce lists the roles that people sign, and trust.json; none without a root.
func (f *Folder) InForce() ([]InForce, error) {
	list := []InForce{}
	root, err := f.root()
	if err != nil || root == nil {
		return list, err
	}
	plan := root.Plan()
	list = append(list, InForce{
		Name: tuf.RoleRoot, Version: root.Version, ExpiresAt: root.Expires.Time, Threshold: plan.Root.Threshold, Keys: ids(plan.Root.Keys),
		Sha256: hash(f.Roots[len(f.Roots)-1]),
	})
	targets := InForce{Name: tuf.RoleTargets, Threshold: plan.Targets.Threshold, Keys: ids(plan.Targets.Keys)}
	staging := InForce{Name: tuf.RoleStaging, Keys: []string{}}
	if t := f.knownTargets(); t != nil {
		targets.Version, targets.ExpiresAt, targets.Sha256 = t.Version, t.Expires.Time, hash(f.Targets)
		d := delegated(t.Plan())
		staging.Threshold, staging.Keys = d.Threshold, notNil(ids(d.Keys))
	}
	if f.Staging != nil {
		t, err := tuf.ParseTargets(f.Staging)
		if err != nil {
			return nil, broken(err, "staging.json of the folder is no targets document")
		}
		staging.Version, staging.ExpiresAt, staging.Sha256 = t.Version, t.Expires.Time, hash(f.Staging)
	}
	list = append(list, targets, staging)
	if f.Trust != nil {
		t, err := sealed.Parse[sealed.Trust](f.Trust)
		if err != nil {
			return nil, broken(err, "trust.json of the folder is damaged")
		}
		list = append(list, InForce{Name: "trust", Version: uint32(t.Version), Keys: []string{}, Sha256: hash(f.Trust)}) //nolint:gosec // the server keeps it below 2^31
	}
	return list, nil
}

// Release is a manifest that may run in production.
type Release struct {
	Seq     int64  `json:"seq"`
	Version string `json:"version,omitempty"` // if the manifest is in the folder
	Sha256  string `json:"sha256"`
}

// Releases lists what targets allow in production, lowest number first.
func (f *Folder) Releases() []Release {
	list := []Release{}
	t := f.knownTargets()
	if t == nil {
		return list
	}
	for _, path := range bySeq(t.Targets) {
		file := t.Targets[path]
		if file.Custom == nil {
			continue
		}
		r := Release{Seq: file.Custom.Seq, Sha256: file.SHA256}
		if m, err := sealed.Parse[sealed.Manifest](f.Manifests[file.SHA256]); err == nil {
			r.Version = m.Version
		}
		list = append(list, r)
	}
	return list
}

// Online returns the server's keys that the documents in force list, nil if
// there are none.
func (f *Folder) Online() (*Online, error) {
	root, err := f.root()
	if err != nil || root == nil || f.Trust == nil {
		return nil, err
	}
	t, err := sealed.Parse[sealed.Trust](f.Trust)
	if err != nil {
		return nil, err
	}
	plan := root.Plan()
	return &Online{
		Timestamp: plan.Timestamp.Keys, Snapshot: plan.Snapshot.Keys, Director: t.Director, Authority: t.Authority, Log: t.Log,
	}, nil
}
