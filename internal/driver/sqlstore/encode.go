package sqlstore

import (
	"encoding/binary"
	"encoding/json"
	"fmt"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// A tree is stored as: the byte 1, the number of files, then for each file how
// many bytes its path shares with the one before, the length of the rest, the
// rest, the hash, the size. Numbers are unsigned varints.
const treeFormat = 1

func encodeTree(files []ota.TreeFile) []byte {
	if len(files) == 0 {
		return []byte{}
	}
	b := make([]byte, 1, 1+len(files)*64)
	b[0] = treeFormat
	b = binary.AppendUvarint(b, uint64(len(files)))
	before := ""
	for i := range files {
		f := &files[i]
		n := shared(before, f.Path)
		b = binary.AppendUvarint(b, uint64(n))
		b = binary.AppendUvarint(b, uint64(len(f.Path)-n))
		b = append(b, f.Path[n:]...)
		b = append(b, f.Hash[:]...)
		b = binary.AppendUvarint(b, uint64(f.Size))
		before = f.Path
	}
	return b
}

func shared(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

func decodeTree(b []byte) ([]ota.TreeFile, error) {
	if len(b) == 0 {
		return []ota.TreeFile{}, nil
	}
	d := decoder{b: b}
	if d.bytes(1)[0] != treeFormat {
		return nil, fmt.Errorf("file list of unknown format %d", b[0])
	}
	n := d.count()
	files := make([]ota.TreeFile, 0, n)
	path := []byte{}
	for range n {
		keep, rest := d.number(), d.number()
		if keep > uint64(len(path)) || rest > uint64(len(d.b)) {
			d.bad = true
			break
		}
		path = append(path[:keep], d.bytes(int(rest))...)
		f := ota.TreeFile{Path: string(path)}
		copy(f.Hash[:], d.bytes(len(f.Hash)))
		f.Size = int64(d.number())
		files = append(files, f)
	}
	if d.bad || len(d.b) != 0 {
		return nil, fmt.Errorf("file list is damaged")
	}
	return files, nil
}

// encodeIDs stores a list of row ids as signed differences: the files of a new
// bundle mostly have ids in a row.
func encodeIDs(ids []int64) []byte {
	b := binary.AppendUvarint(make([]byte, 0, 2*len(ids)+2), uint64(len(ids)))
	var before int64
	for _, id := range ids {
		b = binary.AppendVarint(b, id-before)
		before = id
	}
	return b
}

func decodeIDs(b []byte) ([]int64, error) {
	if len(b) == 0 {
		return nil, nil
	}
	d := decoder{b: b}
	n := d.count()
	ids := make([]int64, 0, n)
	var id int64
	for range n {
		id += d.signed()
		ids = append(ids, id)
	}
	if d.bad || len(d.b) != 0 {
		return nil, fmt.Errorf("list of stored files is damaged")
	}
	return ids, nil
}

// encodeEntries stores the entries of an imported bundle, which need not share
// anything with others.
func encodeEntries(files []ota.VariantFile) ([]byte, error) {
	if len(files) == 0 {
		return []byte{}, nil
	}
	b, err := json.Marshal(files)
	if err != nil {
		return nil, fmt.Errorf("encode file list: %w", err)
	}
	return b, nil
}

func decodeEntries(b []byte) ([]ota.VariantFile, error) {
	if len(b) == 0 {
		return nil, nil
	}
	var files []ota.VariantFile
	if err := json.Unmarshal(b, &files); err != nil {
		return nil, fmt.Errorf("file list of an imported bundle: %w", err)
	}
	return files, nil
}

// decoder reads from b; after the first fault it yields zeros and bad is set.
type decoder struct {
	b   []byte
	bad bool
}

func (d *decoder) number() uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) signed() int64 {
	v, n := binary.Varint(d.b)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.b = d.b[n:]
	return v
}

// count reads how many items follow; each takes at least a byte.
func (d *decoder) count() int {
	n := d.number()
	if n > uint64(len(d.b)) {
		d.fail()
		return 0
	}
	return int(n)
}

func (d *decoder) bytes(n int) []byte {
	if n > len(d.b) {
		d.fail()
		return make([]byte, n)
	}
	out := d.b[:n]
	d.b = d.b[n:]
	return out
}

func (d *decoder) fail() { d.bad, d.b = true, nil }
