package signer

import (
	"encoding/hex"
	"net/url"
	"path/filepath"
	"strings"
)

// place is where a key on a token is.
type place struct {
	uri    string
	module string // path of the PKCS #11 library; empty = OpenSC's own
	token  string // label; empty = the only token there is
	object string // label of the key
	id     string // CKA_ID in hex; at least one of object and id
}

// maxURI bounds an address.
const maxURI = 2048

// parsePKCS11 reads the part of RFC 7512 that names one key: token, object, id,
// type=private, and module-path behind the '?'. A PIN in an address ends up in
// shell histories and process lists, so it is refused.
func parsePKCS11(uri string) (place, error) {
	at := place{uri: uri}
	if len(uri) > maxURI {
		return at, badURI(uri, "too long")
	}
	_, rest := split(uri)
	path, query, _ := strings.Cut(rest, "?")
	seen := map[string]bool{}
	each := func(text, sep string, set func(name, value string) error) error {
		for part := range strings.SplitSeq(text, sep) {
			if part == "" {
				continue
			}
			name, value, ok := strings.Cut(part, "=")
			value, err := url.PathUnescape(value)
			if !ok || err != nil || value == "" || seen[name] {
				return badURI(uri, "malformed at %q", clip(part))
			}
			seen[name] = true
			if err := set(name, value); err != nil {
				return err
			}
		}
		return nil
	}
	if err := each(path, ";", func(name, value string) error { return at.setPath(name, value) }); err != nil {
		return at, err
	}
	if err := each(query, "&", func(name, value string) error { return at.setQuery(name, value) }); err != nil {
		return at, err
	}
	if at.object == "" && at.id == "" {
		return at, badURI(uri, "without a key: it needs object=LABEL or id=%%01")
	}
	return at, nil
}

func (at *place) setPath(name, value string) error {
	switch name {
	case "token":
		at.token = value
	case "object":
		at.object = value
	case "id":
		at.id = hex.EncodeToString([]byte(value))
	case "type":
		if value != "private" {
			return badURI(at.uri, "of type %q; a signer is of type private", clip(value))
		}
	default:
		return badURI(at.uri, "with the attribute %q, which is not known here", clip(name))
	}
	if printable(value) || name == "id" {
		return nil
	}
	return badURI(at.uri, "with control characters in %q", name)
}

func (at *place) setQuery(name, value string) error {
	switch name {
	case "module-path":
		if !filepath.IsAbs(value) || !printable(value) {
			return badURI(at.uri, "with a module-path that is not absolute")
		}
		at.module = value
		return nil
	case "pin-value", "pin-source":
		return badURI(at.uri, "one with a PIN in it, which others could read; the PIN is asked for, or taken from WAXWING_PIN")
	}
	return badURI(at.uri, "with the attribute %q, which is not known here", clip(name))
}

func printable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// parsePIV reads piv:SLOT of a security key with PIV, which OpenSC's own module
// shows with ids of its own.
func parsePIV(uri string) (place, error) {
	_, slot := split(uri)
	ids := map[string]string{"9a": "01", "9c": "02", "9d": "03", "9e": "04"}
	id := ids[strings.ToLower(slot)]
	if id == "" {
		return place{}, badURI(uri, "of no slot of PIV: they are 9a, 9c (for signatures), 9d and 9e")
	}
	return place{uri: uri, id: id}, nil
}
