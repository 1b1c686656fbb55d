package edge

import (
	"bytes"
	"encoding/json"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// noZip stands where there is no zip: the plugins want a URL that parses even
// if they never fetch it. Source: shared client notes, section 5.3.
const noZip = "https://404.capgo.app/no.zip"

// shape is what two devices that get the same variant may see differently.
type shape uint8

const (
	withManifest shape = 1 << iota
	withMetadata
	oldChecksum
	forElectron
	shapes = 1 << iota
)

func shapeOf(c *decide.Check, out *decide.Outcome) (s shape) {
	if out.Manifest {
		s |= withManifest
	}
	if out.Metadata {
		s |= withMetadata
	}
	if c.Platform == decide.Electron {
		return s | forElectron
	}
	if !decide.TakesHexChecksum(c.Plugin) {
		s |= oldChecksum
	}
	return s
}

// update is the answer that makes a device install something. It must have no
// error, kind, message or null: their presence alone means "no update" to some.
type update struct {
	Version         string  `json:"version"`
	URL             string  `json:"url"`
	Checksum        string  `json:"checksum"`
	SessionKey      string  `json:"session_key"`
	SessionKeyCamel string  `json:"sessionKey,omitempty"` // the only name Electron reads
	Manifest        []entry `json:"manifest,omitempty"`
	Link            string  `json:"link,omitempty"`
	Comment         string  `json:"comment,omitempty"`
}

type entry struct {
	Name string `json:"file_name"`
	Hash string `json:"file_hash"`
	URL  string `json:"download_url"`
}

// render writes the answer for a variant in a shape; base is scheme and host.
func (s *Signer) render(app string, va *decide.Variant, sh shape, base string, expires int64) []byte {
	b := va.Bundle
	u := update{Version: b.Version, URL: noZip, Checksum: va.Checksum, SessionKey: va.SessionKey}
	switch {
	case va.ExternalURL != "":
		u.URL = va.ExternalURL
	case !va.Zip.IsZero():
		u.URL = base + s.Link(app, va.Zip, expires)
	}
	if sh&oldChecksum != 0 && va.ChecksumV2 != "" {
		u.Checksum = va.ChecksumV2
	}
	if sh&forElectron != 0 {
		u.SessionKeyCamel = va.SessionKey
		switch { // it hashes what it downloaded, before it decrypts
		case va.ExternalURL == "":
			u.Checksum = va.Zip.String()
		case va.SessionKey != "":
			u.Checksum = "" // nobody here knows those bytes; it then checks none
		}
	}
	if sh&withManifest != 0 {
		u.Manifest = make([]entry, len(va.Files))
		for i := range va.Files {
			f := &va.Files[i]
			u.Manifest[i] = entry{f.Name, f.WireHash, base + s.Link(app, f.Blob, expires)}
		}
	}
	if sh&withMetadata != 0 {
		u.Link, u.Comment = b.Link, b.Comment
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(u); err != nil {
		return nil // strings only: cannot happen
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n"))
}

var revert = []byte(`{"version":"` + ota.Builtin + `"}`)

// refusal appends the answer for an outcome that installs nothing.
func refusal(dst []byte, out *decide.Outcome) []byte {
	dst = member(append(dst, '{'), "error", out.Code)
	dst = member(append(dst, ','), "message", out.Message)
	dst = member(append(dst, ','), "kind", out.Kind.String())
	for _, f := range [...]struct{ name, value string }{
		{"version", out.Version}, {"old", out.Old}, {"deviceKeyId", out.DeviceKeyID}, {"bundleKeyId", out.BundleKeyID},
	} {
		if f.value != "" {
			dst = member(append(dst, ','), f.name, f.value)
		}
	}
	if out.Major {
		dst = append(dst, `,"major":true`...)
	}
	if out.Code == decide.CodeToMajor {
		dst = append(dst, `,"breaking":true`...)
	}
	return append(dst, '}')
}

func member(dst []byte, name, value string) []byte {
	dst = append(append(append(dst, '"'), name...), '"', ':')
	quoted, err := jsontext.AppendQuote(dst, value)
	if err != nil {
		return append(dst, '"', '"') // not UTF-8; the fields were checked, so it cannot happen
	}
	return quoted
}
