package seal

import (
	"bytes"
	"encoding/pem"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

const (
	publicType  = "RSA PUBLIC KEY"
	privateType = "RSA PRIVATE KEY"

	// maxPEM is far above any RSA-2048 key, and low enough that a hostile one
	// cannot make the number arithmetic slow.
	maxPEM = 4096
)

const wholeFile = "give the whole key file, from its BEGIN line to its END line and nothing else"

func keyInvalid(format string, a ...any) *ota.Error {
	return ota.Invalid("key_invalid", format, a...)
}

// body returns the bytes of the one PEM block of the type that text is. It
// takes space around the block and nothing else, for devices look for the
// header at the very start and ignore what they do not understand.
func body(text []byte, want string) ([]byte, error) {
	if len(text) > maxPEM {
		return nil, keyInvalid("a key file has at most %d bytes, this one has %d", maxPEM, len(text)).WithHint(wholeFile)
	}
	text = bytes.TrimSpace(text)
	const begin = "-----BEGIN "
	rest, ok := bytes.CutPrefix(text, []byte(begin))
	if !ok {
		return nil, keyInvalid("this is not a PEM key: it does not start with %q", begin+want+"-----").WithHint(wholeFile)
	}
	got, _, ok := bytes.Cut(rest, []byte("-----"))
	if ok && string(got) != want {
		return nil, wrongType(want, string(got))
	}
	if bytes.Contains(text, []byte(`\n`)) {
		return nil, keyInvalid(`the key has the two characters \n where lines end`).
			WithHint("give it real line ends, as in the .pub file")
	}
	block, tail := pem.Decode(text)
	if block == nil || bytes.Count(text, []byte(begin)) != 1 || len(tail) != 0 || len(block.Headers) != 0 {
		return nil, keyInvalid("the key is not one whole PEM block %q", want).WithHint(wholeFile)
	}
	return block.Bytes, nil
}

// wrongType says what to do about a PEM block that is some other thing.
func wrongType(want, got string) error {
	private := strings.HasSuffix(got, "PRIVATE KEY")
	switch {
	case want == publicType && private:
		return keyInvalid("this is a private key, a public one is needed here").
			WithHint("give the .pub file; the private key stays with the publisher")
	case want == publicType && got == "PUBLIC KEY":
		return keyInvalid("the public key is in PKIX form, devices read only PKCS#1 (%q)", want).
			WithHint("convert it: openssl rsa -pubin -in FILE -RSAPublicKey_out -out NEW")
	case want == privateType && private:
		return keyInvalid("the private key is in the form %.40q, only PKCS#1 (%q) is read", got, want).
			WithHint("convert it: openssl rsa -traditional -in FILE -out NEW")
	case want == privateType && strings.HasSuffix(got, "PUBLIC KEY"):
		return keyInvalid("this is a public key, the private one is needed here").
			WithHint("give the file without .pub")
	}
	return keyInvalid("this PEM block is a %.40q, not a %q", got, want).WithHint("name the right file")
}
