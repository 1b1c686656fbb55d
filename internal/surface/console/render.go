package console

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

//go:embed templates/*.html
var templateFiles embed.FS

// shared are the templates that every page is made with.
var shared = []string{"templates/layout.html", "templates/parts.html"}

// page reads a template with the layout around it when it is first shown: all
// of them are 10 MB of memory, which servers that only answer devices can spare.
type page func() (*template.Template, error)

// loadTemplates finds every page.
func loadTemplates(a *assets, now func() time.Time) (map[string]page, error) {
	names, err := fs.Glob(templateFiles, "templates/*.html")
	if err != nil {
		return nil, fmt.Errorf("read templates: %w", err)
	}
	out := map[string]page{}
	for _, name := range names {
		out[strings.TrimSuffix(path.Base(name), ".html")] = sync.OnceValues(func() (*template.Template, error) {
			return template.New("layout.html").Funcs(funcs(a, now)).Option("missingkey=error").
				ParseFS(templateFiles, append(append([]string{}, shared...), name)...)
		})
	}
	return out, nil
}

// view is the dot of every template.
type view struct {
	Title   string
	Page    string // name of the template
	App     string // that the address names, "" = none
	Nav     []link
	Tabs    []link // of the app or section
	Section string // that the page is in, if not in an app; "" = none
	Visitor *Visitor
	Theme   string // light, dark or "" = as the system
	Here    string // path and query
	Notice  string
	Problem *ota.Error
	Data    any

	r *request
}

// May reports whether the visitor could do an action here.
func (v *view) May(action string) bool { return v.r.may(action) }

// MayAnywhere reports whether the visitor could do an action somewhere.
func (v *view) MayAnywhere(action string) bool { return v.r.mayAnywhere(action) }

// Old is what was typed into a field of the form that failed, or else the text.
func (v *view) Old(field, otherwise string) string {
	if v.Problem != nil && v.r.PostForm != nil && v.r.PostForm.Has(field) {
		return v.r.PostForm.Get(field)
	}
	return otherwise
}

// Query is a parameter of the address.
func (v *view) Query(name string) string { return v.r.query(name) }

// Next is the address of this list's next page.
func (v *view) Next(cursor string) string {
	q := v.r.URL.Query()
	q.Set("after", cursor)
	return v.r.URL.Path + "?" + q.Encode()
}

// write sends an answer.
func (c *Console) write(r *request, a answer) {
	switch {
	case a.raw != nil:
		if err := a.raw(r.w); err != nil && r.Err() == nil {
			c.deps.Log.WarnContext(r, "console", "path", r.URL.Path, "err", err)
		}
		return
	case a.to != "":
		http.Redirect(r.w, r.Request, a.to, http.StatusSeeOther)
		return
	}
	body, err := c.render(r, a)
	if err != nil {
		c.deps.Log.ErrorContext(r, "console", "path", r.URL.Path, "err", err)
		http.Error(r.w, "the server failed to show this page; its log says why", http.StatusInternalServerError)
		return
	}
	r.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if a.status == 0 {
		a.status = http.StatusOK
	}
	r.w.WriteHeader(a.status)
	_, _ = r.w.Write(body)
}

// template returns a page's template.
func (c *Console) template(name string) (*template.Template, error) {
	load := c.templates[name]
	if load == nil {
		return nil, fmt.Errorf("there is no page %q", name)
	}
	return load()
}

func (c *Console) render(r *request, a answer) ([]byte, error) {
	t, err := c.template(a.page)
	if err != nil {
		return nil, err
	}
	v := &view{
		Title: a.title, Page: a.page, App: r.app(), Visitor: r.visitor, Theme: themeOf(r.Request), Here: r.URL.RequestURI(),
		Notice: notices[r.URL.Query().Get("done")], Problem: r.problem, Data: a.data, r: r,
	}
	if r.visitor != nil {
		v.Nav = r.links(topLinks)
		for i := range v.Nav {
			if v.Nav[i].action == "alert.list" {
				v.Nav[i].Badge = r.firing()
			}
		}
		if v.App != "" && a.page != "error" {
			v.Tabs = r.links(appLinks(v.App))
		} else if a.page != "error" {
			v.Section, v.Tabs = r.section()
		}
	}
	var b bytes.Buffer
	if err := t.Execute(&b, v); err != nil {
		return nil, fmt.Errorf("page %s: %w", a.page, err)
	}
	return b.Bytes(), nil
}

// fragment renders one part of a page.
func (c *Console) fragment(page, part string, data any) ([]byte, error) {
	t, err := c.template(page)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = t.ExecuteTemplate(&b, part, data)
	return b.Bytes(), err
}
