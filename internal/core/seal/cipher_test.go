package seal

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"
)

func testSession() Session {
	var s Session
	for i := range s.key {
		s.key[i], s.iv[i] = byte(i*7+1), byte(i*13+5)
	}
	return s
}

// pattern is content that repeats in no multiple of the block or chunk length.
func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i % 251)
	}
	return b
}

// cbc encrypts whole blocks without padding, to make what Encrypt never would.
func cbc(s Session, blocks []byte) []byte {
	out := make([]byte, len(blocks))
	b, err := aes.NewCipher(s.key[:])
	if err != nil {
		panic(err)
	}
	cipher.NewCBCEncrypter(b, s.iv[:]).CryptBlocks(out, blocks)
	return out
}

func decryptBoth(t testing.TB, s Session, sealed []byte) ([]byte, error) {
	t.Helper()
	got, err := s.DecryptBytes(sealed)
	var buf bytes.Buffer
	n, streamErr := s.Decrypt(&buf, bytes.NewReader(sealed))
	if (err == nil) != (streamErr == nil) || err != nil && err.Error() != streamErr.Error() {
		t.Errorf("bytes say %v, stream says %v", err, streamErr)
	}
	if n != int64(buf.Len()) {
		t.Errorf("stream says %d bytes, wrote %d", n, buf.Len())
	}
	if err == nil && !bytes.Equal(got, buf.Bytes()) {
		t.Error("bytes and stream open to different content")
	}
	return got, err
}

func TestEncryptLengths(t *testing.T) {
	s := testSession()
	for _, n := range []int{
		0, 1, 15, 16, 17, 31, 32, 33, 1000, chunkLen - 17, chunkLen - 16, chunkLen - 1, chunkLen, chunkLen + 1,
		chunkLen + 15, chunkLen + 16, 2*chunkLen - 1, 2 * chunkLen, 2*chunkLen + 16, 3*chunkLen + 7,
	} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			plain := pattern(n)
			sealed := s.EncryptBytes(plain)
			if len(sealed) != n/16*16+16 {
				t.Errorf("%d bytes seal to %d", n, len(sealed))
			}
			if !bytes.Equal(plain, pattern(n)) {
				t.Error("the plaintext was changed")
			}
			var buf bytes.Buffer
			w := must[int64](t)(s.Encrypt(&buf, bytes.NewReader(plain)))
			if w != int64(buf.Len()) || !bytes.Equal(buf.Bytes(), sealed) {
				t.Errorf("the stream of %d bytes is not the same ciphertext", w)
			}
			keep := bytes.Clone(sealed)
			got, err := decryptBoth(t, s, sealed)
			if err != nil || !bytes.Equal(got, plain) {
				t.Errorf("opened to %d bytes, %v", len(got), err)
			}
			if !bytes.Equal(keep, sealed) {
				t.Error("the ciphertext was changed")
			}
		})
	}
}

func TestDecryptRefused(t *testing.T) {
	s := testSession()
	block := func(tail ...byte) []byte {
		return append(bytes.Repeat([]byte{'a'}, 16-len(tail)), tail...)
	}
	good := s.EncryptBytes(pattern(40))
	tests := []struct {
		name   string
		sealed []byte
		says   string
	}{
		{"nothing", nil, "got 0"},
		{"less than a block", good[:15], "got 15"},
		{"cut inside a block", good[:47], "got 47"},
		{"a byte too many", append(bytes.Clone(good), 0), "got 49"},
		{"cut between blocks", good[:32], "padding"},
		{"pad 0", cbc(s, block(0)), "padding"},
		{"pad 17", cbc(s, block(17)), "padding"},
		{"pad 255", cbc(s, block(255)), "padding"},
		{"pad 2 with another byte", cbc(s, block(1, 2)), "padding"},
		{"pad 3 with another byte first", cbc(s, block(2, 3, 3)), "padding"},
		{"pad 16 with another byte first", cbc(s, append([]byte{1}, bytes.Repeat([]byte{16}, 15)...)), "padding"},
		{"cut in the second chunk", s.EncryptBytes(pattern(2 * chunkLen))[:chunkLen+5], fmt.Sprint("got ", chunkLen+5)},
		{"cut at the chunk", s.EncryptBytes(pattern(2 * chunkLen))[:chunkLen], "padding"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := decryptBoth(t, s, tt.sealed)
			wantCode(t, err, "ciphertext_invalid")
			if !strings.Contains(fmt.Sprint(err), tt.says) {
				t.Errorf("got %v, want an error with %q", err, tt.says)
			}
		})
	}
}

func TestStreamPassesErrorsOn(t *testing.T) {
	s := testSession()
	sealed := s.EncryptBytes(pattern(3 * chunkLen))
	boom := errors.New("boom")
	stream := map[string]func(io.Writer, io.Reader) (int64, error){"encrypt": s.Encrypt, "decrypt": s.Decrypt}
	for name, f := range stream {
		for _, cause := range []error{boom, io.ErrUnexpectedEOF, fmt.Errorf("cut: %w", io.EOF)} {
			src := io.MultiReader(bytes.NewReader(sealed[:chunkLen]), iotest.ErrReader(cause))
			if _, err := f(io.Discard, src); !errors.Is(err, cause) {
				t.Errorf("%s of a source that fails with %v: %v", name, cause, err)
			}
		}
		dst := &failing{after: chunkLen, err: boom}
		if n, err := f(dst, bytes.NewReader(sealed)); !errors.Is(err, boom) || n != int64(dst.n) {
			t.Errorf("%s into a full target: %d (wrote %d), %v", name, n, dst.n, err)
		}
		if _, err := f(io.Discard, stuck{}); !errors.Is(err, io.ErrNoProgress) {
			t.Errorf("%s of a source that gives nothing: %v", name, err)
		}
	}
}

// failing takes some bytes and then fails, as a full disk does.
type failing struct {
	n, after int
	err      error
}

func (f *failing) Write(p []byte) (int, error) {
	if room := f.after - f.n; len(p) > room {
		f.n += room
		return room, f.err
	}
	f.n += len(p)
	return len(p), nil
}

type stuck struct{}

func (stuck) Read([]byte) (int, error) { return 0, nil }

func TestCipherProperty(t *testing.T) {
	readers := map[string]func(io.Reader) io.Reader{
		"whole": func(r io.Reader) io.Reader { return r }, "bytes": iotest.OneByteReader,
		"halves": iotest.HalfReader, "eof with data": iotest.DataErrReader,
	}
	rapid.Check(t, func(t *rapid.T) {
		var s Session
		copy(s.key[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "key"))
		copy(s.iv[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "iv"))
		plain := pattern(rapid.IntRange(0, 2*chunkLen+40).Draw(t, "length"))
		wrap := readers[rapid.SampledFrom([]string{"whole", "bytes", "halves", "eof with data"}).Draw(t, "reader")]

		want := s.EncryptBytes(plain)
		var sealed, opened bytes.Buffer
		if _, err := s.Encrypt(&sealed, wrap(bytes.NewReader(plain))); err != nil || !bytes.Equal(sealed.Bytes(), want) {
			t.Fatalf("stream and bytes differ, %v", err)
		}
		if _, err := s.Decrypt(&opened, wrap(&sealed)); err != nil || !bytes.Equal(opened.Bytes(), plain) {
			t.Fatalf("opened to %d bytes, %v, want %d", opened.Len(), err, len(plain))
		}
	})
}

// TestEqualPrefixShows holds the package comment to its word on what leaks.
func TestEqualPrefixShows(t *testing.T) {
	s := testSession()
	a, b := pattern(100), pattern(100)
	b[50] ^= 1
	x, y := s.EncryptBytes(a), s.EncryptBytes(b)
	if !bytes.Equal(x[:48], y[:48]) || bytes.Equal(x[48:64], y[48:64]) || bytes.Equal(x[96:], y[96:]) {
		t.Error("ciphertexts of files that differ in block 3 should agree in blocks 0 to 2 and nowhere after")
	}
}
