package sealedrepo

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
	"github.com/waxwing-ota/waxwing/internal/core/sealed/admit"
)

// Device asks a server and admits its answers as a device does; it installs by
// remembering what it runs.
type Device struct {
	URL     string // of the server
	Build   admit.Build
	ID      string
	Channel string
	State   admit.State
	Running sealed.Running

	Answer *sealed.Answer // the last
	Size   int            // of the last answer, bytes
}

// Device makes a device of the app with the first root compiled in.
func (r *Repo) Device(url, id string) *Device {
	build := admit.Build{
		App: r.App, Platform: "android", Version: "1.0.0", MinClass: sealed.ClassStaging, Root: r.RootDoc, Made: time.Now().Add(-time.Hour),
	}
	return &Device{URL: url, Build: build, ID: id, State: admit.Fresh(build)}
}

// Request makes the body of a check.
func (d *Device) Request() ([]byte, error) {
	versions, err := d.State.Versions(d.Build)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, 16)
	if _, err := rand.Read(nonce); err != nil {
		return nil, err
	}
	return sealed.Encode(&sealed.CheckRequest{
		V: 1, Nonce: nonce, App: d.Build.App, Device: d.ID, Platform: d.Build.Platform, Native: d.Build.Version, OS: "15", Plugin: "1.0.0",
		Versions: versions, Running: d.Running, Log: d.State.Log.Size, Channel: d.Channel,
	})
}

// Check asks and admits.
func (d *Device) Check() (admit.Decision, error) {
	body, err := d.Request()
	if err != nil {
		return admit.Decision{}, err
	}
	res, err := http.Post( //nolint:noctx // tests end by themselves
		d.URL+"/sealed/v1/"+d.Build.App+"/check", "application/json", bytes.NewReader(body))
	if err != nil {
		return admit.Decision{}, err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		return admit.Decision{}, err
	}
	if res.StatusCode != http.StatusOK {
		return admit.Decision{}, fmt.Errorf("%d %s", res.StatusCode, raw)
	}
	d.Size = len(raw)
	if d.Answer, err = sealed.ParseAnswer(raw); err != nil {
		return admit.Decision{}, err
	}
	var out admit.Decision
	out, d.State, err = admit.Decide(d.State, admit.Input{Build: d.Build, Now: time.Now(), Request: body, Answer: d.Answer})
	return out, err
}

// Install takes over what a decision says, as if all its files were there.
func (d *Device) Install(out admit.Decision) {
	switch {
	case out.Plan != nil:
		d.Running = sealed.Running{Seq: out.Plan.Manifest().Seq, SHA256: ota.Sum(out.Plan.Raw()).String()}
	case out.Builtin.Valid():
		d.Running = sealed.Running{}
	}
}
