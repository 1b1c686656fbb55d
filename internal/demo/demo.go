package demo

import (
	"context"
	"net/http"
	"path/filepath"
	"time"

	"github.com/waxwing-ota/waxwing/internal/client"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/seal"
)

// What the story is about.
const (
	App     = "com.example.demo"
	Channel = "production"
	Native  = "0.9.0" // version of the native app

	good   = "1.0.0"
	broken = "2.0.0"
	phones = 12
	atOnce = 4 // devices that update at the same time
)

// The rule by which the demo's channel takes a release back: that of a fleet of
// a dozen, not of thousands.
const (
	minAttempts = 5
	minFailures = 4
)

// Options says where to play.
type Options struct {
	Client *client.Client // of a server that does not have the app yet
	URL    string         // of the server, as devices reach it
	Dir    string         // for the key, the web builds and the devices; must exist
	Say    func(Step)     // called after each step; nil = nobody listens
	Now    func() time.Time

	Patience time.Duration // how long the server may take to act by itself; 0 = 10 s
}

// Step is one thing that was done and checked.
type Step struct {
	Name   string `json:"name"`
	Seen   string `json:"seen"` // what happened, or what went wrong
	OK     bool   `json:"ok"`
	Millis int64  `json:"ms"`
}

// Phone is a device at the end of the story.
type Phone struct {
	ID       ota.DeviceID `json:"id"`
	Platform string       `json:"platform"`
	Plugin   string       `json:"plugin"`
	Runs     string       `json:"runs"`
	Status   string       `json:"status"`
	Failed   string       `json:"failed"`        // version it rolled back; "" = none
	First    int64        `json:"first_bytes"`   // loaded for the first version, of which it had nothing
	Second   int64        `json:"second_bytes"`  // loaded for the second; 0 = never offered
	Reused   int          `json:"reused_files"`  // of the second version, from the first
	Fetched  int          `json:"fetched_files"` // of the second version, from the server
}

// Report is what was seen.
type Report struct {
	Held      bool    `json:"held"` // every step did
	App       string  `json:"app"`
	KeyID     string  `json:"key_id"`
	KeyFile   string  `json:"key_file"`
	Builds    string  `json:"builds"` // folder of the two web builds
	FullBytes int64   `json:"full_bytes"`
	Steps     []Step  `json:"steps"`
	Phones    []Phone `json:"phones"`
}

// story is one performance.
type story struct {
	o     Options
	ctx   context.Context
	http  *http.Client
	key   *seal.PrivateKey
	trees map[string]ota.Digest // of the published versions
	fleet []*phone
	rep   Report
}

// Run plays the story. What goes wrong in it is in the report; the error is
// that of ctx only.
func Run(ctx context.Context, o Options) (Report, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Patience <= 0 {
		o.Patience = 10 * time.Second
	}
	s := &story{
		o: o, ctx: ctx, trees: map[string]ota.Digest{},
		http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}},
		rep: Report{
			App: App, KeyFile: filepath.Join(o.Dir, "demo-key.pem"), Builds: filepath.Join(o.Dir, "builds"), Steps: []Step{}, Phones: []Phone{},
		},
	}
	defer s.http.CloseIdleConnections()
	s.rep.Held = s.play()
	s.rep.Phones = s.census()
	s.close()
	return s.rep, ctx.Err()
}

// play runs the steps until one does not hold.
func (s *story) play() bool {
	for _, st := range []struct {
		name string
		do   func() (string, error)
	}{
		{"create the app and its key", s.setUp},
		{"push " + good + ", signed and encrypted", func() (string, error) { return s.push(good) }},
		{"the fleet installs " + good, s.installFirst},
		{"the server knows who runs it", s.serverSees},
		{"push " + broken + ", which is broken", func() (string, error) { return s.push(broken) }},
		{broken + " fails on phone after phone", s.failInTurn},
		{"the server takes " + broken + " back", s.takenBack},
		{"nobody is offered " + broken + " again", s.notOffered},
		{"the whole fleet runs " + good, s.allGood},
	} {
		if !s.step(st.name, st.do) {
			return false
		}
	}
	return true
}

func (s *story) step(name string, do func() (string, error)) bool {
	start := s.o.Now()
	seen, err := do()
	if err == nil {
		err = s.ctx.Err()
	}
	st := Step{Name: name, Seen: seen, OK: err == nil, Millis: s.o.Now().Sub(start).Milliseconds()}
	if err != nil {
		st.Seen = err.Error()
	}
	s.rep.Steps = append(s.rep.Steps, st)
	if s.o.Say != nil {
		s.o.Say(st)
	}
	return st.OK
}

// otherwise is the error of a step that saw something else than it should.
func otherwise(format string, a ...any) error {
	return ota.Errorf(ota.KindInternal, "demo_failed", format, a...)
}
