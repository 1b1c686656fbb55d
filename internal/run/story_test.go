package run_test

import (
	"archive/zip"
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/client"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/seal"
	"github.com/waxwing-ota/waxwing/internal/testkit/live"
)

const app = "com.example.story"

// story is a server with what the tests do to it, each step fatal if it fails.
type story struct {
	t *testing.T
	*live.Server
	c *client.Client
}

func newStory(t *testing.T) *story {
	srv := live.Start(t, "", nil)
	s := &story{t: t, Server: srv, c: srv.Client}
	must(s, func() (ota.App, error) { return s.c.CreateApp(t.Context(), ota.NewApp{ID: app, Name: "Story"}) })
	return s
}

// must returns what a call returned, or ends the test.
func must[T any](s *story, call func() (T, error)) T {
	s.t.Helper()
	v, err := call()
	if err != nil {
		s.t.Fatalf("%v (%s)", err, ota.CodeOf(err))
	}
	return v
}

func (s *story) ok(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatalf("%v (%s)", err, ota.CodeOf(err))
	}
}

// web makes the plain files of a version.
func web(version string) map[string][]byte {
	return map[string][]byte{
		"index.html": []byte("<!doctype html><script src=app.js></script>" + version),
		"app.js":     []byte("CapacitorUpdater.notifyAppReady() // " + version),
		"same.css":   []byte("body { margin: 0 }"),
	}
}

// bundle makes the plain bundle of a version, and all blobs it needs.
func (s *story) bundle(version string) (ota.NewBundle, map[ota.Digest][]byte) {
	s.t.Helper()
	files := web(version)
	blobs := map[ota.Digest][]byte{}
	var packed bytes.Buffer
	z := zip.NewWriter(&packed)
	in := ota.NewBundle{Version: version, Comment: "made by a test"}
	v := ota.Variant{}
	paths := []string{"app.js", "index.html", "same.css"}
	for _, path := range paths {
		content := files[path]
		d := ota.Sum(content)
		blobs[d] = content
		in.Tree = append(in.Tree, ota.TreeFile{Path: path, Hash: d, Size: int64(len(content))})
		v.Files = append(v.Files, ota.VariantFile{
			Name: path, WireHash: d.String(), Hash: d, Size: int64(len(content)), Blob: d, StoredSize: int64(len(content)),
		})
		w, err := z.Create(path)
		s.ok(err)
		_, err = w.Write(content)
		s.ok(err)
	}
	s.ok(z.Close())
	v.Zip, v.ZipSize = ota.Sum(packed.Bytes()), int64(packed.Len())
	v.Checksum = v.Zip.String()
	blobs[v.Zip] = packed.Bytes()
	in.Variants = []ota.Variant{v}
	return in, blobs
}

// publish uploads what is missing and makes the bundle.
func (s *story) publish(version string) ota.Bundle {
	s.t.Helper()
	in, blobs := s.bundle(version)
	for d, content := range blobs {
		if !must(s, func() (bool, error) { return s.c.PutBlob(s.t.Context(), app, d, 0, bytes.NewReader(content)) }) {
			s.t.Fatalf("blob %s is not complete", d)
		}
	}
	return must(s, func() (ota.Bundle, error) {
		b, created, err := s.c.CreateBundle(s.t.Context(), app, in)
		if err == nil && !created {
			err = fmt.Errorf("%s was there already", version)
		}
		return b, err
	})
}

func (s *story) release(channel, version string) ota.Release {
	s.t.Helper()
	return must(s, func() (ota.Release, error) {
		r, done, err := s.c.Release(s.t.Context(), app, channel, ota.ReleaseRequest{Version: version})
		if err == nil && !done {
			err = fmt.Errorf("the release of %s did nothing", version)
		}
		return r, err
	})
}

const deviceText = "0a000000-0000-4000-8000-000000000001"

// offered asks by a probe what version a device gets; "" = none.
func (s *story) offered(device string) string {
	s.t.Helper()
	p := must(s, func() (client.ProbeAnswer, error) {
		return s.c.Probe(s.t.Context(), app, ota.ProbeRequest{Platform: "android", Native: "1.0.0", Current: "1.0.0", Device: device})
	})
	if len(p.Trace) == 0 {
		s.t.Error("the probe says no reason")
	}
	var a struct{ Version, URL string }
	if err := json.Unmarshal(p.Answer, &a); err != nil {
		s.t.Fatalf("answer %q: %v", p.Answer, err)
	}
	if a.URL == "" {
		return ""
	}
	return a.Version
}

// report sends events as a device does.
func (s *story) report(action, version string) {
	s.t.Helper()
	body := fmt.Sprintf(`{"app_id":%q,"device_id":%q,"platform":"android","action":%q,"version_name":%q,"version_build":"1.0.0",
		"version_code":"1","version_os":"15","plugin_version":"8.51.23","is_emulator":false,"is_prod":true}`, app, deviceText, action, version)
	res, err := http.Post(s.URL+"/stats", "application/json", strings.NewReader(body))
	s.ok(err)
	defer res.Body.Close()
	if res.StatusCode != 200 {
		b, _ := io.ReadAll(res.Body)
		s.t.Fatalf("stats: %d %s", res.StatusCode, b)
	}
}

// TestStory is the life of an app over the admin API, with what a device sees.
func TestStory(t *testing.T) {
	s := newStory(t)
	ctx := t.Context()
	id, _ := ota.ParseDeviceID(deviceText)

	if b := s.publish("1.1.0"); b.FileCount != 3 || b.CreatedBy != "token:bootstrap" {
		t.Errorf("bundle %+v", b)
	}
	s.release("production", "1.1.0")
	if got := s.offered(""); got != "1.1.0" {
		t.Errorf("after the release a device gets %q", got)
	}

	// A second version shares a file with the first: only the rest is missing.
	in, _ := s.bundle("1.2.0")
	missing := must(s, func() (ota.MissingAnswer, error) {
		return s.c.Missing(ctx, app, ota.MissingQuery{Version: "1.2.0", Tree: ota.TreeDigest(in.Tree), Files: in.Tree, Encodings: []ota.Encoding{{}}})
	})
	if missing.Exists || len(missing.Known) != 1 || len(missing.Known[0]) != 1 || missing.Known[0][0].Hash != ota.Sum(web("x")["same.css"]) {
		t.Errorf("missing %+v", missing)
	}
	s.publish("1.2.0")
	s.release("production", "1.2.0")
	if got := s.offered(""); got != "1.2.0" {
		t.Errorf("after the second release a device gets %q", got)
	}

	// It fails on a device, which then is not offered it again, until cleared.
	s.report("update_fail", "1.2.0")
	if got := s.offered(deviceText); got != "1.1.0" {
		t.Errorf("the device it failed on gets %q", got)
	}
	d := must(s, func() (ota.Device, error) { return s.c.Device(ctx, app, id) })
	if diff := cmp.Diff([]string{"1.2.0"}, d.FailedVersions); diff != "" {
		t.Error(diff)
	}
	events := must(s, func() ([]ota.Event, error) {
		items, _, err := s.c.Events(ctx, app, ota.EventFilter{Device: id, Action: "update_fail"}, ota.Page{})
		return items, err
	})
	if len(events) != 1 || events[0].VersionName != "1.2.0" || events[0].Device != id {
		t.Errorf("events %+v", events)
	}
	s.ok(s.c.ClearFailures(ctx, app, &id, "1.2.0"))
	if got := s.offered(deviceText); got != "1.2.0" {
		t.Errorf("after the failure is cleared the device gets %q", got)
	}

	// An override takes one device elsewhere.
	must(s, func() (ota.Channel, error) { return s.c.CreateChannel(ctx, app, "beta", ota.PolicyPatch{}) })
	s.release("beta", "1.1.0")
	s.ok(s.c.SetOverride(ctx, app, id, "beta"))
	if s.offered(deviceText) != "1.1.0" || s.offered("") != "1.2.0" {
		t.Errorf("with an override: %q and %q", s.offered(deviceText), s.offered(""))
	}
	s.ok(s.c.ClearOverride(ctx, app, id))

	s.rollback()
	s.rollout()
	s.reads()
}

func (s *story) rollback() {
	ctx := s.t.Context()
	r := must(s, func() (ota.Release, error) {
		return s.c.Rollback(ctx, app, "production", ota.RollbackRequest{Note: "bad"})
	})
	if r.Version != "1.1.0" || r.Kind != ota.ReleaseRollback {
		s.t.Errorf("rollback made %+v", r)
	}
	if got := s.offered(""); got != "1.1.0" {
		s.t.Errorf("after the rollback a device gets %q", got)
	}
	history := must(s, func() ([]ota.Release, error) {
		items, _, err := s.c.Releases(ctx, app, "production", ota.Page{})
		return items, err
	})
	if len(history) != 3 {
		s.t.Errorf("history %+v", history)
	}
	_, done, err := s.c.Release(ctx, app, "production", ota.ReleaseRequest{Version: "1.2.0", IfNew: true})
	if done || err != nil {
		s.t.Errorf("if_new of a version the channel had: done = %v, %v", done, err)
	}
}

func (s *story) rollout() {
	ctx := s.t.Context()
	s.publish("1.3.0")
	all := 10_000
	ro := must(s, func() (ota.Rollout, error) {
		return s.c.SetRollout(ctx, app, "production", ota.RolloutRequest{Version: "1.3.0", BPS: &all})
	})
	if ro.Version != "1.3.0" || ro.BPS != all || s.offered(deviceText) != "1.3.0" {
		s.t.Errorf("rollout %+v, a device gets %q", ro, s.offered(deviceText))
	}
	must(s, func() (bool, error) { return s.c.AbortRollout(ctx, app, "production") })
	if got := s.offered(deviceText); got != "1.1.0" {
		s.t.Errorf("after the rollout is aborted a device gets %q", got)
	}
	must(s, func() (ota.Rollout, error) {
		return s.c.SetRollout(ctx, app, "production", ota.RolloutRequest{Version: "1.3.0", BPS: &all})
	})
	if r := must(s, func() (ota.Release, error) { return s.c.PromoteRollout(ctx, app, "production") }); r.Version != "1.3.0" || r.Kind != ota.ReleasePromote {
		s.t.Errorf("promoted %+v", r)
	}
}

// reads goes through what has not been read yet.
func (s *story) reads() {
	ctx, t := s.t.Context(), s.t
	tree := must(s, func() ([]ota.TreeFile, error) { return s.c.BundleTree(ctx, app, "1.1.0") })
	in, blobs := s.bundle("1.1.0")
	if diff := cmp.Diff(in.Tree, tree); diff != "" {
		t.Error(diff)
	}
	v := must(s, func() (ota.Variant, error) { return s.c.VariantFiles(ctx, app, "1.1.0", "") })
	if diff := cmp.Diff(in.Variants[0].Files, v.Files); diff != "" {
		t.Error(diff)
	}
	body, size, err := s.c.OpenBlob(ctx, app, v.Zip)
	s.ok(err)
	defer body.Close()
	if got, err := io.ReadAll(body); !bytes.Equal(got, blobs[v.Zip]) || size != v.ZipSize || err != nil {
		t.Errorf("the zip comes back as %d bytes, %v", len(got), err)
	}
	link := "https://example.com/1.1.0"
	if b := must(s, func() (ota.Bundle, error) { return s.c.UpdateBundle(ctx, app, "1.1.0", ota.BundlePatch{Link: &link}) }); b.Link != link {
		t.Errorf("bundle %+v", b)
	}
	yes := true
	if a := must(s, func() (ota.App, error) { return s.c.UpdateApp(ctx, app, ota.AppPatch{AllowPlain: &yes}) }); !a.AllowPlain || a.Name != "Story" {
		t.Errorf("app %+v", a)
	}
	if ch := must(s, func() (ota.Channel, error) {
		return s.c.UpdateChannel(ctx, app, "beta", ota.PolicyPatch{AllowSelfSet: &yes})
	}); !ch.Policy.AllowSelfSet {
		t.Errorf("channel %+v", ch)
	}
	changes, _, err := s.c.Changes(ctx, app, ota.Page{Limit: 500})
	s.ok(err)
	if len(changes) < 10 || changes[len(changes)-1].Actor != "token:bootstrap" {
		t.Errorf("%d changes, the first %+v", len(changes), changes[len(changes)-1])
	}
	st := must(s, func() (ota.ServerStatus, error) { return s.c.Status(ctx) })
	if st.Apps != 1 || st.Events != 1 || st.Requests != 1 || st.StartedAt == 0 || st.ReadOnlyDB {
		t.Errorf("status %+v", st)
	}
	must(s, func() (ota.GCReport, error) { return s.c.CollectGarbage(ctx) })
}

func TestKeys(t *testing.T) {
	s := newStory(t)
	private, err := seal.GenerateKey(rand.Reader)
	s.ok(err)
	k := must(s, func() (ota.Key, error) { return s.c.RegisterKey(t.Context(), app, private.Public().PEM()) })
	if k.ID != private.Public().ID() || k.State != ota.KeyActive {
		t.Errorf("key %+v", k)
	}
	k = must(s, func() (ota.Key, error) { return s.c.SetKeyState(t.Context(), app, k.ID, ota.KeyRetired) })
	keys := must(s, func() ([]ota.Key, error) { return s.c.Keys(t.Context(), app) })
	if diff := cmp.Diff([]ota.Key{k}, keys); diff != "" || k.State != ota.KeyRetired {
		t.Error(diff)
	}
}

func TestTokens(t *testing.T) {
	s := newStory(t)
	secret, token, err := s.c.CreateToken(t.Context(), ota.NewToken{Name: "ci"})
	s.ok(err)
	ci := s.As(t, secret.Reveal())
	me := must(s, func() (ota.Me, error) { return ci.Me(t.Context()) })
	if me.Actor != "token:ci" || me.Principal.Token.ID != token.ID {
		t.Errorf("me %+v", me)
	}
	tokens, _, err := s.c.Tokens(t.Context(), ota.TokenFilter{}, ota.Page{})
	s.ok(err)
	if len(tokens) != 2 {
		t.Errorf("tokens %+v", tokens)
	}
	s.ok(s.c.DeleteToken(t.Context(), token.ID))
	if _, err := ci.Me(t.Context()); ota.KindOf(err) != ota.KindUnauthorized {
		t.Errorf("a deleted token: %v", err)
	}
}

func TestPages(t *testing.T) {
	s := newStory(t)
	want := []string{app}
	for i := range 6 {
		a := fmt.Sprintf("com.example.page%d", i)
		must(s, func() (ota.App, error) { return s.c.CreateApp(t.Context(), ota.NewApp{ID: a}) })
		want = append(want, a)
	}
	var got []string
	pages := 0
	for after := ""; ; pages++ {
		items, next, err := s.c.Apps(t.Context(), ota.Page{After: after, Limit: 3})
		s.ok(err)
		for _, a := range items {
			got = append(got, a.ID)
		}
		if after = next; next == "" {
			break
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" || pages != 2 {
		t.Errorf("%d further pages: %s", pages, diff)
	}
}

// TestUploadGoesOn: what arrived of an upload that broke off is kept, and the
// rest is enough.
func TestUploadGoesOn(t *testing.T) {
	s := newStory(t)
	content := bytes.Repeat([]byte("0123456789abcdef"), 64<<10) // 1 MiB
	d := ota.Sum(content)
	if answer := s.halfUpload(d, content, 700_000); !strings.Contains(answer, "400 Bad Request") {
		t.Errorf("a broken upload is answered with %q", answer)
	}
	offset, complete, err := s.c.BlobOffset(t.Context(), app, d)
	s.ok(err)
	if offset != 700_000 || complete {
		t.Fatalf("after a broken upload: offset %d, complete = %v", offset, complete)
	}
	if _, err := s.c.PutBlob(t.Context(), app, d, offset+1, bytes.NewReader(content[offset+1:])); ota.KindOf(err) != ota.KindConflict {
		t.Errorf("going on at another place: %v", err)
	}
	if complete, err := s.c.PutBlob(t.Context(), app, d, offset, bytes.NewReader(content[offset:])); !complete || err != nil {
		t.Errorf("the rest: complete = %v, %v", complete, err)
	}
	if offset, complete, err := s.c.BlobOffset(t.Context(), app, d); offset != int64(len(content)) || !complete || err != nil {
		t.Errorf("at the end: offset %d, complete = %v, %v", offset, complete, err)
	}
}

// halfUpload announces all of content, sends the first n bytes and says no
// more. It returns the status line of the answer.
func (s *story) halfUpload(d ota.Digest, content []byte, n int) string {
	s.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.URL, "http://"))
	s.ok(err)
	defer conn.Close()
	_, err = fmt.Fprintf(conn, "PUT /api/v1/apps/%s/blobs/%s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s",
		app, d, live.Token, len(content), content[:n])
	s.ok(err)
	s.ok(conn.(*net.TCPConn).CloseWrite())
	line, err := bufio.NewReader(conn).ReadString('\n')
	s.ok(err)
	return strings.TrimSpace(line)
}
