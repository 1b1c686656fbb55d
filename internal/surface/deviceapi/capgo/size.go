package capgo

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// maxSized is the most files whose sizes are looked up; a bundle has at most 10,000.
const maxSized = 20_000

type sizedFile struct {
	Name string `json:"file_name"`
	Hash string `json:"file_hash"`
	URL  string `json:"download_url"`
	Size *int64 `json:"size,omitempty"`
	Err  string `json:"error,omitempty"`
}

type sizes struct {
	Total   int64       `json:"totalSize"`
	Known   int         `json:"knownFiles"`
	Unknown int         `json:"unknownFiles"`
	Files   []sizedFile `json:"files"`
}

// manifestSize answers how many bytes the files of a list are to download.
func (h *handler) manifestSize(w http.ResponseWriter, r *http.Request) {
	body, free, e := h.read(r, h.Limits.Manifest)
	defer free()
	if e != nil {
		e.send(w)
		return
	}
	in, e := parse(body, routeCheck)
	if e != nil {
		e.send(w)
		return
	}
	app := h.Apps.App(in.AppID)
	if app == nil {
		h.noApp(w)
		return
	}
	var list struct {
		Manifest []sizedFile `json:"manifest"`
		Files    []sizedFile `json:"files"`
	}
	if err := json.Unmarshal(body, &list); err != nil {
		bad("invalid_json_body", "manifest must be a list of file_name, file_hash and download_url").send(w)
		return
	}
	files := list.Manifest
	if files == nil {
		files = list.Files
	}
	if len(files) > maxSized {
		tooLarge().send(w)
		return
	}
	send(w, http.StatusOK, h.sizesOf(r.Context(), app, files))
}

func (h *handler) sizesOf(ctx context.Context, app *decide.App, files []sizedFile) sizes {
	out := sizes{Files: []sizedFile{}}
	type key struct{ name, hash, url string }
	seen := map[key]bool{}
	for _, f := range files {
		k := key{f.Name, f.Hash, f.URL}
		if f.Hash == "" || seen[k] {
			continue
		}
		seen[k] = true
		f.Size, f.Err = nil, "size_unknown"
		if d, ok := h.ownLink(app, f.URL); ok {
			if n, ok, err := h.Blobs.Has(ctx, d); err == nil && ok {
				f.Size, f.Err = &n, ""
			}
		}
		if f.Size != nil {
			out.Known++
			out.Total += *f.Size
		} else {
			out.Unknown++
		}
		out.Files = append(out.Files, f)
	}
	return out
}

// ownLink returns the digest in a link that this server signed for the app.
func (h *handler) ownLink(app *decide.App, link string) (ota.Digest, bool) {
	u, err := url.Parse(link)
	if err != nil {
		return ota.Digest{}, false
	}
	rest, ok := strings.CutPrefix(u.Path, "/files/"+app.ID+"/")
	if !ok {
		return ota.Digest{}, false
	}
	d, err := ota.ParseDigest(rest)
	if err != nil {
		return d, false
	}
	q := u.Query()
	return d, h.Edge.Check(app.ID, d, q.Get("e"), q.Get("s"), h.Now()) == nil
}
