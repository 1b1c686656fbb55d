package conformance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/run/config"
)

// device of each case that asks for one, unless it names its own.
const caseDevice = "11112222-3333-4444-8555-666677778888"

func TestCases(t *testing.T) {
	cases := load[[]testCase](t, "capgo-device-cases.json")
	fix := load[fixture](t, "capgo-device-fixture.json")
	loose := serve(t, nil)
	strict := serve(t, func(c *config.Config) { c.Strict429 = true })
	ran, required := 0, 0
	for _, c := range cases {
		t.Run(c.ID, func(t *testing.T) {
			needed := (c.Compat == "must" || c.Compat == "should") && c.Level != "http-cf"
			if why, ok := skipped[c.ID]; ok {
				if needed {
					t.Fatalf("a required case may not be skipped: %s", why)
				}
				t.Skip("SKIP: " + why)
			}
			if needed {
				required++
			}
			ran++
			if c.Request.Decision != "" {
				runDecision(t, c)
				return
			}
			if c.Expect.Status == float64(http.StatusTooManyRequests) {
				runHTTP(t, strict, &fix, c, nil) // as the reference server, when asked to be
			}
			runHTTP(t, loose, &fix, c, deviations[c.ID])
		})
	}
	t.Logf("%d of %d cases ran, %d of them required", ran, len(cases), required)
}

func runHTTP(t *testing.T, s server, fix *fixture, c testCase, dev *deviation) {
	t.Helper()
	names := map[string]string{
		"uuid": caseDevice, "u1": caseDevice, "u2": strings.Replace(caseDevice, "1111", "2222", 1),
		"existing": "1.0.0", "missing": "9.9.9", "rollout": "1.3.7", "channel": "own", "private": "beta",
	}
	state, _ := subst(any(c.Given.State), names).(map[string]any)
	if state == nil {
		state = map[string]any{}
	}
	for _, name := range slices.Sorted(mapKeys(state)) { // "1.2.N" stands for the rollout's bundle
		if m, ok := state[name].(map[string]any); ok && m["rollout_version"] != nil {
			m["rollout_version"] = names["rollout"]
		}
	}
	w := newWorld(t, s, fix, state)
	names["app"] = w.app
	if prepare := before[c.ID]; prepare != nil {
		prepare(state)
	}
	w.build(existing(c)...)
	if after := afterSeed[c.ID]; after != nil {
		after(w)
	}
	steps := c.Request.Steps
	if steps == nil {
		raw, err := json.Marshal(c.Request)
		w.must(nil, err)
		steps = []json.RawMessage{raw}
	}
	var doc any
	var res *http.Response
	for i, raw := range steps {
		var rq request
		w.must(nil, json.Unmarshal(raw, &rq))
		res, doc = w.send(rq, names)
		if i < len(c.Expect.StepFields) {
			for k, want := range c.Expect.StepFields[i] {
				got, ok := at(doc, k)
				if why := mismatch(got, ok, want); why != "" {
					t.Errorf("step %d: %s: %s", i+1, k, why)
				}
			}
		}
	}
	exp := c.Expect
	if dev != nil {
		exp = dev.expect(exp)
	}
	w.compare(exp, res, doc, names)
	if check := sideEffects[c.ID]; check != nil {
		check(w)
	}
}

// existing returns the bundles that a case speaks of as existing ones.
func existing(c testCase) []string {
	var names []string
	for _, v := range []any{c.Request.Body["version_name"], c.Request.Body["version_build"]} {
		if s, _ := v.(string); strings.HasPrefix(s, "1.0.0-get.") || strings.HasPrefix(s, "1.0.0-set.") {
			names = append(names, s)
		}
	}
	raw, _ := json.Marshal(c.Given.State)
	if strings.Contains(string(raw), "rollout_version") {
		names = append(names, "1.3.7")
	}
	sort.Strings(names)
	return slices.Compact(names)
}

// send does one request and returns its JSON, or nil.
func (w *world) send(rq request, names map[string]string) (*http.Response, any) {
	w.Helper()
	path := subst(rq.Path, names).(string)
	var body io.Reader
	switch {
	case rq.RawText != "":
		body = strings.NewReader(rq.RawText)
	case rq.RawBody != nil:
		body = encoded(w.T, rq.RawBody)
	case rq.Batch:
		events := []any{}
		for _, e := range rq.Events {
			events = append(events, w.fields(rq, e, names))
		}
		body = encoded(w.T, events)
	case rq.SendAs == "query":
		q := url.Values{}
		for k, v := range w.fields(rq, rq.Overrides, names) {
			q.Set(k, fmt.Sprint(v))
		}
		path += "?" + q.Encode()
	case rq.Base != "" && rq.Overrides != nil:
		body = encoded(w.T, w.fields(rq, rq.Overrides, names))
	case rq.Base != "":
		body = encoded(w.T, w.fields(rq, rq.Body, names))
	}
	r, err := http.NewRequestWithContext(w.Context(), rq.Method, w.url+path, body)
	w.must(nil, err)
	for k, v := range rq.Headers {
		r.Header.Set(k, v)
	}
	res, err := http.DefaultClient.Do(r)
	w.must(nil, err)
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	w.must(nil, err)
	var doc any
	_ = json.Unmarshal(raw, &doc)
	w.Logf("%s %s → %d %s", rq.Method, path, res.StatusCode, raw)
	return res, doc
}

func encoded(t *testing.T, v any) io.Reader {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.NewReader(b)
}

func (w *world) fields(rq request, over map[string]any, names map[string]string) map[string]any {
	out := map[string]any{}
	for _, m := range []map[string]any{w.fix.BaseDevice, over} {
		for k, v := range m {
			out[k] = subst(v, names)
		}
	}
	for _, k := range rq.Omit {
		delete(out, k)
	}
	return out
}

func (w *world) compare(e expect, res *http.Response, doc any, names map[string]string) {
	w.Helper()
	if why := mismatch(float64(res.StatusCode), true, e.Status); why != "" && e.Status != nil {
		w.Errorf("status: %s", why)
	}
	fields, _ := subst(any(e.Fields), names).(map[string]any)
	for k, want := range fields {
		got, ok := at(doc, k)
		if why := mismatch(got, ok, want); why != "" {
			w.Errorf("%s: %s", k, why)
		}
	}
	for k, want := range e.Headers {
		got := res.Header.Get(k)
		if why := mismatch(got, got != "", want); why != "" {
			w.Errorf("header %s: %s", k, why)
		}
	}
	if e.BodyArray != nil {
		w.compareArray(e.BodyArray, doc)
	}
}

func (w *world) compareArray(e *arrayExpectation, doc any) {
	w.Helper()
	list, ok := doc.([]any)
	if !ok {
		w.Fatalf("the body is no array: %s", text(doc))
	}
	var names []string
	for _, item := range list {
		m := item.(map[string]any)
		names = append(names, str(m, "name"))
		for _, k := range e.ItemKeys {
			if _, ok := m[k]; !ok {
				w.Errorf("an item lacks %q: %s", k, text(item))
			}
		}
	}
	if e.Names != nil {
		if diff := cmp.Diff(e.Names, names); diff != "" {
			w.Errorf("names (-want +got):\n%s", diff)
		}
	}
	for _, n := range e.Contains {
		if !slices.Contains(names, n) {
			w.Errorf("%q is missing from %v", n, names)
		}
	}
	for _, n := range e.Excludes {
		if slices.Contains(names, n) {
			w.Errorf("%q is in %v", n, names)
		}
	}
}

func mapKeys(m map[string]any) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}
