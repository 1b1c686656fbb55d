package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"
)

// downloads are answers that are long on purpose.
var downloads = []string{"/api/v1/audit/export"}

// asked are parameters that some addresses do not answer without.
var asked = map[string]map[string]string{
	"/api/v1/audit/consistency":                      {"from": "500", "to": "90000"},
	"/api/v1/apps/{app}/bundles/{version}/sbom/diff": {"from": "2.0.0"},
	"/api/v1/apps/{app}/scan-trend":                  {"channel": "production"},
}

// measureLists reads every address of the API that can be read, as the API
// describes itself, and prints what takes long; slow is how many took longer
// than a page may.
func measureLists(ctx context.Context, p *proc, addr string, known map[string]string) (slow int, err error) {
	var doc struct {
		Paths map[string]map[string]struct {
			Parameters []struct {
				Name   string
				Schema struct{ Maximum int }
			}
		} `json:"paths"`
	}
	body, _, err := get(ctx, "http://"+addr+"/api/openapi.json")
	if err != nil {
		return 0, err
	}
	if err := json.Unmarshal(body, &doc); err != nil {
		return 0, fmt.Errorf("openapi.json: %w", err)
	}
	var paths []string
	for path, methods := range doc.Paths {
		read, ok := methods["get"]
		if !ok || slices.Contains(downloads, path) {
			continue
		}
		plain, mark := path, "?"
		for _, q := range read.Parameters {
			if v, ok := asked[plain][q.Name]; ok {
				path += mark + q.Name + "=" + v
			} else if q.Name == "limit" && q.Schema.Maximum > 0 {
				path += fmt.Sprintf("%slimit=%d", mark, q.Schema.Maximum)
			} else {
				continue
			}
			mark = "&"
		}
		paths = append(paths, path)
	}
	slices.Sort(paths)
	fmt.Printf("%-86s %9s %9s %9s %9s\n", "API", "status", "bytes", "wait", "cpu")
	for _, path := range paths {
		at, missing := filled(path, known)
		if missing != nil {
			continue // one thing that there is none of here
		}
		var waits []time.Duration
		var status, size int
		before := p.running()
		for range looks {
			begin := time.Now()
			body, code, err := get(ctx, "http://"+addr+at)
			if err != nil {
				return 0, err
			}
			waits, status, size = append(waits, time.Since(begin)), code, len(body)
		}
		cpu := (p.running() - before) / looks
		verdict := ""
		if middle(waits) > maxWait {
			verdict = "  OVER BUDGET"
			slow++
		} else if status != http.StatusOK && status != http.StatusNotFound {
			verdict = "  FAILS"
			slow++
		}
		fmt.Printf("%-86s %9d %9d %9s %9s%s\n", path, status, size, ms(middle(waits)), ms(cpu), verdict)
	}
	return slow, nil
}

func get(ctx context.Context, url string) (body []byte, status int, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, 0, err
	}
	r.Header.Set("Authorization", "Bearer "+owner)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, 0, err
	}
	defer res.Body.Close()
	body, err = io.ReadAll(res.Body)
	return body, res.StatusCode, err
}
