package attest

// Major types of CBOR (RFC 8949) that are read.
const (
	majorBytes = 2
	majorText  = 3
	majorArray = 4
	majorMap   = 5
)

// reader reads definite, shortest-form CBOR. After a mistake it is bad and
// returns zeroes.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) fail() { r.bad, r.b = true, nil }

// head reads the head of a value of the major type and returns its length,
// which is at most most.
func (r *reader) head(major byte, most int) int {
	if r.bad || len(r.b) == 0 || r.b[0]>>5 != major {
		r.fail()
		return 0
	}
	info, n := r.b[0]&31, 0
	r.b = r.b[1:]
	if info < 24 {
		n = int(info)
	} else {
		width := 1 << (info - 24) // 24, 25 and 26 are one, two and four bytes
		if info > 26 || len(r.b) < width {
			r.fail()
			return 0
		}
		for _, c := range r.b[:width] {
			n = n<<8 | int(c)
		}
		r.b = r.b[width:]
		if least := [...]int{24, 1 << 8, 1 << 16}[info-24]; n < least {
			r.fail()
			return 0
		}
	}
	if n > most {
		r.fail()
		return 0
	}
	return n
}

func (r *reader) take(n int) []byte {
	if r.bad || n > len(r.b) {
		r.fail()
		return nil
	}
	out := r.b[:n:n]
	r.b = r.b[n:]
	return out
}

func (r *reader) bytes(most int) []byte { return r.take(r.head(majorBytes, most)) }

func (r *reader) text(most int) string { return string(r.take(r.head(majorText, most))) }
