package control_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/driver/blob"
	"github.com/waxwing-ota/waxwing/internal/plane/control"
)

func query(version string, encodings ...ota.Encoding) ota.MissingQuery {
	tree := treeOf(web(version))
	return ota.MissingQuery{Version: version, Tree: ota.TreeDigest(tree), Files: tree, Encodings: encodings}
}

func TestMissing(t *testing.T) {
	e := newEnv(t)
	key := keyPair()[0]
	_, err := e.RegisterKey(e.ctx(), who, app, key.Public().PEM())
	e.do(err)
	enc := ota.Encoding{KeyID: key.Public().ID(), SessionKey: must(key.SealSession(key.EpochSession(app, 1)))}

	a, err := e.Missing(e.ctx(), app, query("1.0.0", enc))
	e.do(err)
	if a.Exists || a.Same || len(a.Known) != 1 || len(a.Known[0]) != 0 {
		t.Errorf("before: %+v", a)
	}
	in := e.bundle("1.0.0", key)
	_, _, err = e.CreateBundle(e.ctx(), actor, app, in)
	e.do(err)

	a, err = e.Missing(e.ctx(), app, query("1.0.0", enc, ota.Encoding{}, ota.Encoding{KeyID: enc.KeyID, SessionKey: "other"}))
	e.do(err)
	if diff := cmp.Diff(in.Variants[0].Files, a.Known[0]); diff != "" {
		t.Errorf("known (-want +got):\n%s", diff)
	}
	if !a.Exists || !a.Same || len(a.Known[1]) != 0 || len(a.Known[2]) != 0 {
		t.Errorf("after: %+v", a)
	}

	a, err = e.Missing(e.ctx(), app, query("1.1.0", enc))
	e.do(err)
	var names []string
	for _, f := range a.Known[0] {
		names = append(names, f.Name)
	}
	if diff := cmp.Diff([]string{"empty.css.br", "js/app.js", "packed.js.br.br"}, names); diff != "" {
		t.Errorf("unchanged files (-want +got):\n%s", diff)
	}
	q := query("1.1.0")
	q.Version = "1.0.0"
	if a, err = e.Missing(e.ctx(), app, q); err != nil || !a.Exists || a.Same {
		t.Errorf("same version, other tree: %+v, %v", a, err)
	}

	// A blob that is gone must be uploaded again.
	e.do(e.blobs.Delete(e.ctx(), in.Variants[0].Files[0].Blob))
	a, err = e.Missing(e.ctx(), app, query("1.0.0", enc))
	if err != nil || len(a.Known[0]) != 3 {
		t.Errorf("%d files known, %v", len(a.Known[0]), err)
	}
}

func TestMissingRefused(t *testing.T) {
	e := newEnv(t)
	_, err := e.Missing(e.ctx(), "com.example.gone", query("1.0.0"))
	wantCode(t, err, control.CodeAppNotFound)
	_, err = e.Missing(e.ctx(), app, query("one"))
	wantCode(t, err, control.CodeVersionNotSemver)
	q := query("1.0.0")
	q.Tree = ota.Digest{1}
	_, err = e.Missing(e.ctx(), app, q)
	wantCode(t, err, control.CodeTreeInvalid)
	_, err = e.Missing(e.ctx(), app, query("1.0.0", make([]ota.Encoding, 17)...))
	wantCode(t, err, control.CodeVariantInvalid)
}

// Files that a second bundle shares with the first are stored once: a row each.
func TestUnchangedFilesShareRows(t *testing.T) {
	e := newEnv(t)
	e.publish("1.0.0", "1.1.0")
	use, err := e.db.BlobUse(e.ctx(), 0)
	e.do(err)
	// Four files, one of them in two versions, and two zips.
	if len(use.Blobs) != 7 || len(use.Files) != 0 {
		t.Errorf("%d blobs, %d idle rows", len(use.Blobs), len(use.Files))
	}
}

func TestPutBlob(t *testing.T) {
	e := newEnv(t)
	text := []byte("one two three")
	d := ota.Sum(text)
	offset := func(want int64, complete bool) {
		t.Helper()
		n, c, err := e.BlobOffset(e.ctx(), app, d)
		if n != want || c != complete || err != nil {
			t.Errorf("offset = %d, %v, %v; want %d, %v", n, c, err, want, complete)
		}
	}
	offset(0, false)
	cut := io.MultiReader(bytes.NewReader(text[:4]), iotest.ErrReader(errors.New("cut")))
	if complete, err := e.PutBlob(e.ctx(), app, d, 0, cut); complete || err == nil {
		t.Errorf("cut: %v, %v", complete, err)
	}
	offset(4, false)
	_, err := e.PutBlob(e.ctx(), app, d, 3, bytes.NewReader(text[3:]))
	wantCode(t, err, blob.CodeOffset)
	if complete, err := e.PutBlob(e.ctx(), app, d, 4, bytes.NewReader(text[4:])); !complete || err != nil {
		t.Errorf("rest: %v, %v", complete, err)
	}
	offset(13, true)
	_, err = e.PutBlob(e.ctx(), "com.example.gone", d, 0, strings.NewReader(""))
	wantCode(t, err, control.CodeAppNotFound)
	_, err = e.PutBlob(e.ctx(), app, d, -1, strings.NewReader(""))
	wantCode(t, err, "digest_invalid")
	_, err = e.PutBlob(e.ctx(), app, ota.Digest{}, 0, strings.NewReader(""))
	wantCode(t, err, "digest_invalid")

	small := control.New(control.Deps{Store: e.db, Blobs: e.blobs, Snap: e.snap, Now: e.now, MaxBlob: 4})
	_, err = small.PutBlob(e.ctx(), app, ota.Sum([]byte("five!")), 0, strings.NewReader("five!"))
	wantCode(t, err, blob.CodeTooLarge)
}

func TestOpenBlob(t *testing.T) {
	e := newEnv(t)
	e.publish("1.0.0")
	_, err := e.CreateApp(e.ctx(), actor, ota.NewApp{ID: "com.example.other"})
	e.do(err)
	va, err := e.VariantFiles(e.ctx(), app, "1.0.0", "")
	e.do(err)
	for _, d := range []ota.Digest{va.Zip, va.Files[0].Blob} {
		r, _, err := e.OpenBlob(e.ctx(), app, d)
		e.do(err)
		e.do(r.Close())
		_, _, err = e.OpenBlob(e.ctx(), "com.example.other", d)
		wantCode(t, err, control.CodeBlobNotFound)
	}
	_, _, err = e.OpenBlob(e.ctx(), app, e.put([]byte("nobody's")))
	wantCode(t, err, control.CodeBlobNotFound)
}
