package device

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const goodURL = "https://cdn.example.com/b.zip?s=1"

func TestParseAnswer(t *testing.T) {
	update := `"version":"2.0.0","url":"` + goodURL + `","checksum":"c"`
	for name, tt := range map[string]struct {
		status int
		body   string
		want   Answer
	}{
		"update":                      {200, `{` + update + `,"session_key":"a:b"}`, Answer{Kind: Update, Version: "2.0.0", URL: goodURL, Checksum: "c", SessionKey: "a:b"}},
		"update with files":           {200, `{` + update + `,"manifest":[{"file_name":"a","file_hash":"b","download_url":"c"}]}`, Answer{Kind: Update, Version: "2.0.0", URL: goodURL, Checksum: "c", Manifest: []Entry{{"a", "b", "c"}}}},
		"unknown fields":              {200, `{` + update + `,"extra":{"a":1}}`, Answer{Kind: Update, Version: "2.0.0", URL: goodURL, Checksum: "c"}},
		"older version":               {200, `{"version":"0.1.0","url":"` + goodURL + `"}`, Answer{Kind: Update, Version: "0.1.0", URL: goodURL}},
		"same version":                {200, `{"version":"1.0.0","url":"` + goodURL + `"}`, Answer{Kind: UpToDate, Version: "1.0.0", URL: goodURL}},
		"no version":                  {200, `{"url":"` + goodURL + `"}`, Answer{Kind: UpToDate, URL: goodURL}},
		"builtin":                     {200, `{"version":"builtin"}`, Answer{Kind: Revert, Version: "builtin"}},
		"up to date":                  {200, `{"kind":"up_to_date","error":"no_new_version_available","message":"m","version":"1.0.0"}`, Answer{Kind: UpToDate, Code: "no_new_version_available", Message: "m", Version: "1.0.0"}},
		"up to date, status 500":      {500, `{"kind":"up_to_date","error":"x"}`, Answer{Kind: UpToDate, Code: "x"}},
		"blocked":                     {200, `{"kind":"blocked","error":"disable_auto_update_to_major","version":"5.0.0"}`, Answer{Kind: Blocked, Code: "disable_auto_update_to_major", Version: "5.0.0", Breaking: true}},
		"store update":                {200, `{"kind":"blocked","error":"x","message":"store_update_required"}`, Answer{Kind: Blocked, Code: "x", Message: "store_update_required", Breaking: true}},
		"failed":                      {200, `{"kind":"failed","error":"x"}`, Answer{Kind: Failed, Code: "x"}},
		"unknown kind":                {200, `{"kind":"later","error":"x"}`, Answer{Kind: Failed, Code: "x"}},
		"error without kind":          {200, `{"error":"on_premise_app","message":"m"}`, Answer{Kind: Failed, Code: "on_premise_app", Message: "m"}},
		"empty error kills an update": {200, `{` + update + `,"error":""}`, Answer{Kind: Failed, Version: "2.0.0"}},
		"null kind kills an update":   {200, `{` + update + `,"kind":null}`, Answer{Kind: Failed, Version: "2.0.0"}},
		"only a message":              {200, `{"message":"No new version available"}`, Answer{Kind: Failed, Code: CodeNoURL, Message: "No new version available"}},
		"no url":                      {200, `{"version":"2.0.0"}`, Answer{Kind: Failed, Code: CodeNoURL, Version: "2.0.0"}},
		"relative url":                {200, `{"version":"2.0.0","url":"/b.zip"}`, Answer{Kind: Failed, Code: CodeNoURL, Version: "2.0.0", URL: "/b.zip"}},
		"url with password":           {200, `{"version":"2.0.0","url":"https://a:b@c/"}`, Answer{Kind: Failed, Code: CodeNoURL, Version: "2.0.0", URL: "https://a:b@c/"}},
		"version with a quote":        {200, `{"version":"2\"0","url":"` + goodURL + `"}`, Answer{Kind: Failed, Code: CodeVersion, Version: `2"0`, URL: goodURL}},
		"reserved version":            {200, `{"version":"unknown","url":"` + goodURL + `"}`, Answer{Kind: Failed, Code: CodeVersion, Version: "unknown", URL: goodURL}},
		"not found":                   {404, `{"a":1}`, Answer{Kind: Failed, Code: CodeResponse}},
		"empty body":                  {200, ` `, Answer{Kind: Failed, Code: CodeResponse, Message: "the server sent no body"}},
		"html":                        {200, `<html>`, Answer{Kind: Failed, Code: CodeParse, Message: "the answer is not one JSON object"}},
		"html, 503":                   {503, `<html>`, Answer{Kind: Failed, Code: CodeResponse, Message: "the answer is not one JSON object"}},
		"array":                       {200, `[]`, Answer{Kind: Failed, Code: CodeParse, Message: "the answer is not one JSON object"}},
		"null":                        {200, `null`, Answer{Kind: Failed, Code: CodeParse, Message: "the answer is not one JSON object"}},
		"two objects":                 {200, `{}{}`, Answer{Kind: Failed, Code: CodeParse, Message: "the answer is not one JSON object"}},
		"a name twice":                {200, `{"version":"1","version":"2"}`, Answer{Kind: Failed, Code: CodeParse, Message: "the answer is not one JSON object"}},
	} {
		t.Run(name, func(t *testing.T) {
			tt.want.Status = tt.status
			got := parseAnswer(tt.status, []byte(tt.body), "1.0.0")
			if got.Kind == Failed && got.Code != tt.want.Code || got.Kind != tt.want.Kind {
				t.Errorf("kind %s code %s, want %s %s", got.Kind, got.Code, tt.want.Kind, tt.want.Code)
			}
			if got.Kind != Failed {
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			}
		})
	}
}

// iOS decodes with a fixed model: one field of another type spoils the answer.
func TestParseAnswerRefusesWrongTypes(t *testing.T) {
	for _, field := range []string{
		`"version":2`, `"url":1`, `"checksum":[]`, `"session_key":{}`, `"error":true`, `"kind":1`, `"message":[]`,
		`"breaking":"yes"`, `"major":1`, `"link":1`, `"comment":1`,
		`"manifest":null`, `"manifest":[]`, `"manifest":{}`, `"manifest":[1]`, `"manifest":[{"file_name":1}]`,
	} {
		name, _, _ := strings.Cut(field, ":")
		body := `{` + field
		for _, rest := range []string{`"version":"2.0.0"`, `"url":"` + goodURL + `"`} {
			if !strings.HasPrefix(rest, name) {
				body += `,` + rest
			}
		}
		if got := parseAnswer(200, []byte(body+`}`), "1.0.0"); got.Kind != Failed || got.Code != CodeDecode {
			t.Errorf("%s: kind %s code %q, want %s", field, got.Kind, got.Code, CodeDecode)
		}
	}
}

func TestParseElectronAnswer(t *testing.T) {
	for name, tt := range map[string]struct {
		status int
		body   string
		kind   Kind
		code   string
	}{
		"update":          {200, `{"version":"2.0.0","url":"` + goodURL + `","sessionKey":"a:b","manifest":[{"file_name":"x"}]}`, Update, ""},
		"nothing new":     {200, `{"error":"no_new_version_available"}`, UpToDate, "no_new_version_available"},
		"blocked":         {200, `{"error":"x","kind":"blocked"}`, Blocked, "x"},
		"other error":     {200, `{"error":"x"}`, Failed, "x"},
		"breaking":        {200, `{"version":"2.0.0","url":"` + goodURL + `","breaking":true}`, Blocked, ""},
		"builtin":         {200, `{"version":"builtin"}`, Failed, CodeNoURL},
		"running version": {200, `{"version":"1.0.0","url":"` + goodURL + `"}`, UpToDate, ""},
		"status":          {500, `{"version":"2.0.0","url":"` + goodURL + `"}`, Failed, CodeResponse},
		"html":            {200, `<html>`, Failed, CodeResponse},
	} {
		a := parseElectronAnswer(tt.status, []byte(tt.body), "1.0.0")
		if a.Kind != tt.kind || a.Code != tt.code || a.Manifest != nil {
			t.Errorf("%s: %+v, want %s %q", name, a, tt.kind, tt.code)
		}
		if name == "update" && a.SessionKey != "a:b" {
			t.Errorf("session key %q", a.SessionKey)
		}
	}
}

func TestCheckSendsWhatThePluginSends(t *testing.T) {
	r := newRig(t, both(keyed, func(c *Config) {
		c.VersionBuild, c.VersionCode, c.DefaultChannel, c.CustomID, c.InstallSource = "4.2.0", "420", "beta", "c1", "google_play"
	}))
	r.srv.answer = map[string]any{"kind": "up_to_date"}
	must(r.Check(t.Context(), ""))
	want := map[string]any{
		"platform": "android", "device_id": r.ID().String(), "app_id": testApp, "custom_id": "c1", "version_build": "4.2.0",
		"version_code": "420", "version_os": "15", "version_name": "4.2.0", "plugin_version": "8.51.23", "is_emulator": false,
		"is_prod": true, "install_source": "google_play", "defaultChannel": "beta", "key_id": keyA().Public().ID(),
	}
	if diff := cmp.Diff(want, r.srv.lastBody("/updates")); diff != "" {
		t.Errorf("body (-want +got):\n%s", diff)
	}
	if ua := r.srv.requests[0].Agent; ua != "CapacitorUpdater/8.51.23 (com.example.shop) android/15" {
		t.Errorf("User-Agent %q", ua)
	}
	must(r.Check(t.Context(), "gamma"))
	if got := r.srv.lastBody("/updates")["defaultChannel"]; got != "gamma" {
		t.Errorf("channel of one check = %v", got)
	}
}

func TestOldPluginNamesTheBuiltin(t *testing.T) {
	r := newRig(t, func(c *Config) { c.PluginVersion = "7.20.0" })
	r.srv.answer = map[string]any{"kind": "up_to_date"}
	must(r.Check(t.Context(), ""))
	b := r.srv.lastBody("/updates")
	if _, ok := b["install_source"]; ok || b["version_name"] != "builtin" {
		t.Errorf("body = %v", b)
	}
}

func TestCheckSurvivesTheNetwork(t *testing.T) {
	r := newRig(t, nil)
	r.srv.answer = []byte(`{"kind":"up_to_date"}` + strings.Repeat(" ", maxAnswer))
	if a := must(r.Check(t.Context(), "")); a.Kind != Failed || a.Code != CodeResponse {
		t.Errorf("oversized answer: %+v", a)
	}
	r.srv.answerStatus, r.srv.header, r.srv.answer = 302, http.Header{"Location": {"/ok"}}, map[string]any{}
	if a := must(r.Check(t.Context(), "")); a.Kind != Failed || a.Code != CodeResponse {
		t.Errorf("redirected check: %+v", a)
	}
	if got := r.srv.fetched(0); len(got) > 0 {
		t.Errorf("a redirected POST became a GET of %v", got)
	}
	r.srv.CloseClientConnections()
	r.srv.Close()
	if a := must(r.Check(t.Context(), "")); a.Kind != Failed || a.Code != CodeResponse {
		t.Errorf("server gone: %+v", a)
	}
	if _, err := r.update(); err == nil {
		t.Error("an update from a server that is gone succeeded")
	}
}

func TestTooManyRequests(t *testing.T) {
	for name, tt := range map[string]struct {
		header http.Header
		body   string
		want   time.Duration
		code   string
	}{
		"header":       {http.Header{"Retry-After": {"120"}}, `{"error":"slow","retryAfterSeconds":7}`, 120 * time.Second, "slow"},
		"fraction":     {http.Header{"Retry-After": {"1.5"}}, `{}`, 1500 * time.Millisecond, "too_many_requests"},
		"date ignored": {http.Header{"Retry-After": {"Wed, 21 Oct 2026 07:28:00 GMT"}}, `{}`, 0, "too_many_requests"},
		"more info":    {nil, `{"moreInfo":{"retryAfterSeconds":5},"retryAfterSeconds":9}`, 5 * time.Second, "too_many_requests"},
		"body":         {nil, `{"retryAfterSeconds":9}`, 9 * time.Second, "too_many_requests"},
		"reset":        {nil, `{"rateLimitResetAt":1800000003000}`, 3 * time.Second, "too_many_requests"},
		"huge":         {http.Header{"Retry-After": {"1e300"}}, `{}`, maxWindow, "too_many_requests"},
		"negative":     {http.Header{"Retry-After": {"-5"}}, `{}`, 0, "too_many_requests"},
		"not json":     {nil, `<html>`, 0, "too_many_requests"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, nil)
			r.srv.answerStatus, r.srv.header, r.srv.answer = 429, tt.header, []byte(tt.body)
			a := must(r.Check(t.Context(), ""))
			// Bodies that name an error are classified before the status is looked at;
			// the window counts all the same.
			if a.RetryAfter != tt.want.Milliseconds() || a.Code != tt.code || a.Kind != Failed {
				t.Errorf("answer %+v, want %v %s", a, tt.want, tt.code)
			}
			n := r.srv.seen()
			must(r.Check(t.Context(), ""))
			if asked := r.srv.seen() > n; asked != (tt.want == 0) {
				t.Errorf("asked again within the window: %v", asked)
			}
			r.now = r.now.Add(tt.want)
			r.srv.answerStatus, r.srv.answer = 200, map[string]any{"kind": "up_to_date"}
			if a := must(r.Check(t.Context(), "")); a.Kind != UpToDate {
				t.Errorf("after the window: %+v", a)
			}
			told := 0
			for _, s := range r.srv.actions() {
				if s == "rate_limit_reached 1.0.0" {
					told++
				}
			}
			if want := map[bool]int{true: 1}[tt.code == "too_many_requests"]; told < want || tt.want > 0 && told != want {
				t.Errorf("rate_limit_reached reported %d times, want %d", told, want)
			}
		})
	}
}

func FuzzParseAnswer(f *testing.F) {
	for _, s := range []string{
		`{"version":"2.0.0","url":"https://a/b","manifest":[{"file_name":"a","file_hash":"b","download_url":"c"}]}`,
		`{"kind":"blocked","error":"x","version":"1"}`, `{"version":"builtin"}`, `{"version":"1.0.0","url":"http://a"}`,
		`{"manifest":null}`, `{"sessionKey":"a:b","breaking":true}`, `{"moreInfo":{"retryAfterSeconds":1}}`, `[`, `{"a":1}{`,
	} {
		f.Add(200, []byte(s))
	}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		for _, a := range []Answer{parseAnswer(status, body, "1.0.0"), parseElectronAnswer(status, body, "1.0.0")} {
			switch a.Kind {
			case Update:
				if _, err := parseURL(a.URL); err != nil || a.Version == "" || a.Version == "1.0.0" || a.Version == "builtin" || status/100 != 2 {
					t.Errorf("update without sense: %+v", a)
				}
			case Revert, UpToDate, Blocked, Failed:
			default:
				t.Errorf("kind %q", a.Kind)
			}
			if len(a.Code) > 100 || len(a.Message) > maxMessage {
				t.Errorf("unbounded text: %+v", a)
			}
		}
		more, _ := parseFields(body)
		if w := retryAfter(http.Header{"Retry-After": {string(body)}}, more, time.UnixMilli(0)); w < 0 || w > maxWindow {
			t.Errorf("window of %v", w)
		}
	})
}
