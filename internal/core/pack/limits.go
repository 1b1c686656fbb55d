package pack

// What a bundle may hold unless told otherwise.
const (
	DefaultMaxFiles    = 10_000
	DefaultMaxFileSize = 256 << 20 // bytes
	DefaultMaxTotal    = 1 << 30   // bytes
)

// Limits bound what is read from a folder or an archive. A field that is zero
// or less takes its default.
type Limits struct {
	MaxFiles    int
	MaxFileSize int64 // plain bytes of one file
	MaxTotal    int64 // plain bytes of all files
}

// Filled returns l with the defaults in place of what is not set.
func (l Limits) Filled() Limits {
	if l.MaxFiles <= 0 {
		l.MaxFiles = DefaultMaxFiles
	}
	if l.MaxFileSize <= 0 {
		l.MaxFileSize = DefaultMaxFileSize
	}
	if l.MaxTotal <= 0 {
		l.MaxTotal = DefaultMaxTotal
	}
	return l
}
