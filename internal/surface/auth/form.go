package auth

import (
	"encoding/json"
	"net/url"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// formJSON turns the fields of a form into the JSON that the route would take.
func formJSON(raw []byte) ([]byte, error) {
	values, err := url.ParseQuery(string(raw))
	if err != nil {
		return nil, ota.Invalid("form_broken", "the form cannot be read").WithCause(err)
	}
	fields := map[string]string{}
	for name, v := range values {
		if len(v) != 1 {
			return nil, ota.Invalid("form_broken", "a field of the form is there twice")
		}
		fields[name] = v[0]
	}
	return json.Marshal(fields)
}
