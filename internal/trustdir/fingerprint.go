package trustdir

import (
	"encoding/hex"
	"strings"
)

// Short is the beginning of a key's id: enough to tell the keys of an app apart,
// not enough to trust one.
func Short(id string) string {
	if len(id) < 12 {
		return id
	}
	return id[:12]
}

// Groups writes an id or a digest in groups of four digits, for comparing by eye.
func Groups(id string) string {
	var b strings.Builder
	for i := 0; i < len(id); i += 4 {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(id[i:min(i+4, len(id))])
	}
	return b.String()
}

// fingerprintWords is how many words there are: 96 bits, more than anybody can
// search for, few enough to be read out.
const fingerprintWords = 12

// Words writes the beginning of an id or a digest as words, for comparing by
// voice: one for each of its first 12 bytes.
func Words(id string) string {
	raw, err := hex.DecodeString(id)
	if err != nil || len(raw) < fingerprintWords {
		return ""
	}
	list := strings.Fields(wordList)
	words := make([]string, fingerprintWords)
	for i := range words {
		words[i] = list[raw[i]]
	}
	return strings.Join(words, " ")
}
