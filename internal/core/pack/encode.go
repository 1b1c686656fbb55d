package pack

import (
	"bytes"
	"errors"
	"io"
	"sync"

	"github.com/andybalholm/brotli"
	"github.com/andybalholm/brotli/matchfinder"
)

const (
	// minBrotli: below this many bytes a response's headers weigh more than
	// what compression saves.
	minBrotli = 256

	// largeFile is where the encoder changes, by measurement. Below, quality 6
	// is the smaller one, mostly for its dictionary of web words; above, the
	// other encoder is smaller and faster.
	largeFile = 64 << 10

	smallQuality = 6
	largeQuality = 8

	// smallWindow is the base 2 logarithm of the window of small files. With
	// 22, the default, a stream could begin like one that devices misread.
	smallWindow = 18
)

// Encode returns the form in which a file is stored and whether that is brotli.
// force asks for brotli even if it does not pay off; a path that NeedsBrotli
// asks for it too. stored may be content itself.
//
// What is returned as brotli was decoded again, the way devices do it, and gave
// the content.
func Encode(path string, content []byte, force bool) (stored []byte, isBrotli bool) {
	force = force || NeedsBrotli(path)
	if len(content) == 0 && force {
		return []byte(emptyForm), true
	}
	if !force && len(content) < minBrotli {
		return content, false
	}
	var out []byte
	if !looksRandom(content) {
		out = compress(content)
	}
	return settle(content, out, force)
}

// settle takes the compressed form out, if there is one and devices can use it
// with profit, or another one.
func settle(content, out []byte, force bool) (stored []byte, isBrotli bool) {
	switch {
	case out != nil && worthwhile(len(out), len(content)) && readsAs(out, content):
		return out, true
	case force:
		return wrap(content), true
	}
	return content, false
}

// worthwhile asks for a few percent: decoding costs the device something too.
func worthwhile(packed, plain int) bool { return packed+max(8, plain/32) <= plain }

// compress returns content as a brotli stream, or nil if that fails.
func compress(content []byte) []byte {
	var out bytes.Buffer
	out.Grow(len(content)/3 + 64)
	pool := &smallEncoders
	if len(content) >= largeFile {
		pool = &largeEncoders
	}
	w := pool.Get().(encoder)
	defer pool.Put(w)
	w.Reset(&out)
	// In pieces, because one encoder keeps a copy of what it is given at once.
	const piece = 1 << 20
	for len(content) > 0 {
		n := min(piece, len(content))
		if _, err := w.Write(content[:n]); err != nil {
			return nil
		}
		content = content[n:]
	}
	if err := w.Close(); err != nil {
		return nil
	}
	return out.Bytes()
}

type encoder interface {
	io.WriteCloser
	Reset(io.Writer)
}

var (
	_ encoder = (*brotli.Writer)(nil)
	_ encoder = (*matchfinder.Writer)(nil)
)

// The pools keep the encoders' tables, several MiB each, for the next file.
// They hold nothing that outlives a call in any other sense.
var (
	smallEncoders = sync.Pool{New: func() any {
		return brotli.NewWriterOptions(nil, brotli.WriterOptions{Quality: smallQuality, LGWin: smallWindow})
	}}
	largeEncoders = sync.Pool{New: func() any { return brotli.NewWriterV2(nil, largeQuality) }}
)

// readsAs reports whether devices make content out of stored.
func readsAs(stored, content []byte) bool {
	c := comparer{want: content}
	return decodeTo(&c, stored, int64(len(content))) == nil && len(c.want) == 0
}

// comparer takes only the bytes it wants, in order.
type comparer struct{ want []byte }

func (c *comparer) Write(b []byte) (int, error) {
	if !bytes.HasPrefix(c.want, b) {
		return 0, errDiffers
	}
	c.want = c.want[len(b):]
	return len(b), nil
}

var errDiffers = errors.New("decodes to something else")

// wrap returns content, which is not empty, as a brotli stream that does not compress: three bytes
// per 64 KiB, and one at the end. Its first byte is even, so devices never take
// it for one of the forms they treat specially.
//
// The format is that of RFC 7932, section 9: a one-bit window size (16 bits),
// then blocks of: not the last one (1 bit), length in 4 nibbles (2 bits),
// length-1 (16 bits), not compressed (1 bit), up to the next whole byte, data.
func wrap(content []byte) []byte {
	const block = 1 << 16
	out := make([]byte, 0, len(content)+3*(len(content)/block+1)+1)
	shift := 1 // the window size comes before the first block's header
	for len(content) > 0 {
		n := min(block, len(content))
		head := (uint32(n-1)<<3 | 1<<19) << shift
		out = append(out, byte(head), byte(head>>8), byte(head>>16))
		out = append(out, content[:n]...)
		content, shift = content[n:], 0
	}
	return append(out, 3) // last one, and empty
}

// looksRandom reports whether content is compressed or encrypted already,
// judged by how evenly samples of it use the 256 byte values. Compression
// would cost time for nothing.
func looksRandom(content []byte) bool {
	const piece, pieces = 2 << 10, 8
	if len(content) < piece {
		return false // too little to tell; and cheap to try
	}
	var count [256]uint64
	var n uint64
	take := func(b []byte) {
		n += uint64(len(b))
		for _, c := range b {
			count[c]++
		}
	}
	if len(content) <= piece*pieces {
		take(content)
	} else {
		for i := range pieces {
			at := i * (len(content) - piece) / (pieces - 1)
			take(content[at : at+piece])
		}
	}
	var sum uint64
	for _, c := range count {
		sum += c * c
	}
	// For random bytes, sum is n + n*n/256 on average. An eighth more than
	// that, in which order does not count, is a gain of about 2 %.
	return (sum-n)*256*8 <= n*n*9
}
