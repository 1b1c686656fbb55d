package capgo

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

var statusOK = []byte(`{"status":"ok"}`)

// write sends JSON bytes. The plugins want a body on every status.
func write(w http.ResponseWriter, status int, body []byte) {
	h := w.Header()
	h["Content-Type"] = contentJSON
	h["Cache-Control"] = noStore
	h["X-Content-Type-Options"] = noSniff
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	if status != http.StatusOK {
		w.WriteHeader(status)
	}
	if len(body) > small {
		patiently(w)
	}
	_, _ = w.Write(body) // the device is gone; there is nobody to tell
}

// reply sends the bytes of a check. It sets as few headers as can be, each
// costs a check a hundredth: nobody caches or sniffs the answer to such a POST.
func reply(w http.ResponseWriter, body []byte) {
	h := w.Header()
	h["Content-Type"] = contentJSON
	if len(body) > short {
		h["Content-Length"] = []string{strconv.Itoa(len(body))}
	}
	if len(body) > small {
		patiently(w)
	}
	_, _ = w.Write(body) // the device is gone; there is nobody to tell
}

// patiently gives the device a while to take an answer.
func patiently(w http.ResponseWriter) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(answerTime)) // a recorder has none
}

// short is up to where net/http finds out the length by itself.
const short = 1 << 10

// small is how much fits into a connection's buffers: sending it never waits
// for the device, so it needs no deadline.
const small = 16 << 10

// Header values that are the same in every answer, made once.
var (
	contentJSON = []string{"application/json"}
	noStore     = []string{"no-store"}
	noSniff     = []string{"nosniff"}
)

// object is a JSON object that is answered; keys are sorted when encoded.
type object map[string]any

func send(w http.ResponseWriter, status int, v any) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		status, buf = http.StatusInternalServerError, *bytes.NewBufferString(`{"error":"unknown_error","message":"Unknown error"}`)
	}
	write(w, status, bytes.TrimSuffix(buf.Bytes(), []byte("\n")))
}

func fail(w http.ResponseWriter, status int, code, message string) {
	send(w, status, object{"error": code, "message": message})
}

func notFound(w http.ResponseWriter) { fail(w, http.StatusNotFound, "not_found", "Not found") }

// retryLater sheds load the way the plugins understand: a body, and a number of seconds.
func retryLater(w http.ResponseWriter, code, message string, seconds int) {
	w.Header().Set("Retry-After", strconv.Itoa(seconds))
	send(w, http.StatusTooManyRequests, object{"error": code, "message": message, "moreInfo": object{"retryAfterSeconds": seconds}})
}

// rejected is a request that was refused before it meant anything.
type rejected struct {
	status int
	code   string
	msg    string
	issues []issue
}

// issue is one field at fault, in the shape of the reference server.
type issue struct {
	Message string   `json:"message"`
	Path    []string `json:"path"`
}

func (e *rejected) body() object {
	o := object{"error": e.code, "message": e.msg}
	if len(e.issues) > 0 {
		o["moreInfo"] = object{"parseResult": object{"success": false, "error": object{"issues": e.issues}}}
	}
	return o
}

func (e *rejected) send(w http.ResponseWriter) { send(w, e.status, e.body()) }

func bad(code, msg string) *rejected {
	return &rejected{status: http.StatusBadRequest, code: code, msg: msg}
}

// answerTime is how long a device may take to read a short answer.
const answerTime = time.Minute
