package pack

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"strings"
	"testing"

	"github.com/klauspost/compress/flate"
)

// entry is one entry of a hand-made archive. What is not set is as it should be.
type entry struct {
	name    string
	content []byte
	method  uint16
	flags   uint16
	attrs   uint32 // external ones; the creator is Unix
	dos     bool   // the creator is DOS instead

	packed         []byte  // instead of the content in its method
	plainN, packN  *uint32 // claimed sizes
	localName      string
	localFlags     *uint16
	localCRC       *uint32
	trailer        []byte // instead of the right one, if flags ask for one
	extra          []byte // in the directory
	at             *uint32
	before         []byte // bytes in front of the local header
	noLocal, noDir bool
}

type archive struct {
	entries      []entry
	prefix, tail []byte
	count        *uint16
	comment      string
	beforeDir    []byte
}

func deflated(b []byte) []byte {
	var out bytes.Buffer
	w, _ := flate.NewWriter(&out, 9)
	_, _ = w.Write(b)
	_ = w.Close()
	return out.Bytes()
}

// build makes the archive's bytes.
func (a archive) build() []byte {
	le := binary.LittleEndian
	out := bytes.Clone(a.prefix)
	var dir []byte
	count := 0
	for _, e := range a.entries {
		out = append(out, e.before...)
		packed := e.packed
		if packed == nil {
			if packed = e.content; e.method == zip.Deflate {
				packed = deflated(e.content)
			}
		}
		or := func(p *uint32, v uint32) uint32 {
			if p != nil {
				return *p
			}
			return v
		}
		crc := crc32.ChecksumIEEE(e.content)
		plainN, packN, at := or(e.plainN, uint32(len(e.content))), or(e.packN, uint32(len(packed))), or(e.at, uint32(len(out)))
		common := func(b []byte, flags uint16, crc, packN, plainN uint32, name string) []byte {
			b = le.AppendUint16(b, 20)
			b = le.AppendUint16(b, flags)
			b = le.AppendUint16(b, e.method)
			b = le.AppendUint32(b, 0x00210000)
			b = le.AppendUint32(b, crc)
			b = le.AppendUint32(b, packN)
			b = le.AppendUint32(b, plainN)
			return le.AppendUint16(b, uint16(len(name)))
		}
		if !e.noLocal {
			name, flags, lcrc, lpack, lplain := e.name, e.flags, or(e.localCRC, crc), packN, plainN
			if e.localName != "" {
				name = e.localName
			}
			if e.localFlags != nil {
				flags = *e.localFlags
			}
			if flags&flagTrailer != 0 {
				lcrc, lpack, lplain = or(e.localCRC, 0), 0, 0
			}
			out = common(append(out, sigLocal...), flags, lcrc, lpack, lplain, name)
			out = append(le.AppendUint16(out, 0), name...)
			out = append(out, packed...)
			if e.trailer != nil {
				out = append(out, e.trailer...)
			} else if flags&flagTrailer != 0 {
				out = append(out, sigTrailer...)
				out = le.AppendUint32(le.AppendUint32(le.AppendUint32(out, crc), packN), plainN)
			}
		}
		if e.noDir {
			continue
		}
		count++
		creator := uint16(3<<8 | 20)
		if e.dos {
			creator = 20
		}
		dir = le.AppendUint16(append(dir, sigDir...), creator)
		dir = common(dir, e.flags, crc, packN, plainN, e.name)
		dir = le.AppendUint16(dir, uint16(len(e.extra)))
		dir = append(dir, 0, 0, 0, 0, 0, 0)
		dir = le.AppendUint32(dir, e.attrs)
		dir = le.AppendUint32(dir, at)
		dir = append(append(dir, e.name...), e.extra...)
	}
	out = append(out, a.beforeDir...)
	start := len(out)
	out = append(out, dir...)
	n := uint16(count)
	if a.count != nil {
		n = *a.count
	}
	out = append(append(out, sigEnd...), 0, 0, 0, 0)
	out = le.AppendUint16(le.AppendUint16(out, n), n)
	out = le.AppendUint32(le.AppendUint32(out, uint32(len(dir))), uint32(start))
	out = append(le.AppendUint16(out, uint16(len(a.comment))), a.comment...)
	return append(out, a.tail...)
}

// checkBoth runs CheckZip and OpenZip. The first is "zip_unreadable" if
// package zip does not open the archive at all.
func checkBoth(b []byte, l Limits) (check, open error) {
	_, open = OpenZip(bytes.NewReader(b), int64(len(b)), l)
	r, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return err, open
	}
	_, check = CheckZip(r, l)
	return check, open
}

func stored(name, content string) entry { return entry{name: name, content: []byte(content)} }

func packedEntry(name, content string) entry {
	return entry{name: name, content: []byte(content), method: zip.Deflate}
}

func one(e entry) archive { return archive{entries: []entry{stored("index.html", "<p>"), e}} }

// badArchives are those that CheckZip refuses, with the code.
func badArchives() map[string]struct {
	archive
	limits Limits
	code   string
} {
	type row = struct {
		archive
		limits Limits
		code   string
	}
	const text = "some text to pack, some text to pack"
	zip64 := binary.LittleEndian.AppendUint64([]byte{1, 0, 16, 0}, 1<<62)
	half := append([]byte{1, 0, 8, 0}, zip64[4:]...)
	zip64 = binary.LittleEndian.AppendUint64(zip64, 1<<62)
	rows := map[string]row{
		"empty":                 {archive{}, Limits{}, "bundle_empty"},
		"folders only":          {archive{entries: []entry{stored("a/", "")}}, Limits{}, "bundle_empty"},
		"symlink":               {one(entry{name: "a", content: []byte("/etc/passwd"), attrs: 0o120777 << 16}), Limits{}, "symlink_refused"},
		"symlink as a folder":   {one(entry{name: "a/", attrs: 0o120777 << 16}), Limits{}, "symlink_refused"},
		"device":                {one(entry{name: "a", attrs: 0o060666 << 16}), Limits{}, "file_irregular"},
		"pipe":                  {one(entry{name: "a", attrs: 0o010666 << 16}), Limits{}, "file_irregular"},
		"folder by mode":        {one(entry{name: "a", attrs: 0o040755 << 16}), Limits{}, "zip_invalid"},
		"folder by DOS":         {one(entry{name: "a", attrs: 0x10, dos: true}), Limits{}, "zip_invalid"},
		"folder with content":   {one(stored("a/", "x")), Limits{}, "zip_invalid"},
		"not marked as UTF-8":   {one(stored("é.js", "x")), Limits{}, "path_invalid"},
		"name in CP437":         {one(stored("\x82.js", "x")), Limits{}, "path_invalid"},
		"twice":                 {one(stored("index.html", "other")), Limits{}, "path_duplicate"},
		"twice by case":         {one(stored("INDEX.html", "other")), Limits{}, "path_duplicate"},
		"file and folder":       {one(stored("index.html/a", "other")), Limits{}, "path_duplicate"},
		"file and folder entry": {one(stored("index.html/", "")), Limits{}, "path_duplicate"},
		"encrypted":             {one(entry{name: "a", content: []byte(text), flags: 1}), Limits{}, "zip_encrypted"},
		"strongly encrypted":    {one(entry{name: "a", content: []byte(text), flags: 1 << 6}), Limits{}, "zip_encrypted"},
		"hidden headers":        {one(entry{name: "a", content: []byte(text), flags: 1 << 13}), Limits{}, "zip_encrypted"},
		"patch":                 {one(entry{name: "a", content: []byte(text), flags: 1 << 5}), Limits{}, "zip_encrypted"},
		"bzip2":                 {one(entry{name: "a", content: []byte(text), method: 12}), Limits{}, "zip_method"},
		"deflate64":             {one(entry{name: "a", content: []byte(text), method: 9}), Limits{}, "zip_method"},
		"stored with trailer":   {one(entry{name: "a", content: []byte(text), flags: flagTrailer}), Limits{}, "zip_stored_trailer"},
		"stored, sizes differ":  {one(entry{name: "a", content: []byte(text), plainN: new(uint32(7))}), Limits{}, "zip_size"},
		"more packed than plain": {
			one(entry{name: "a", content: []byte("x"), method: zip.Deflate, packed: make([]byte, 5000)}), Limits{}, "zip_size",
		},
		"bomb": {one(packedEntry("a", strings.Repeat("\x00", 2<<20))), Limits{}, "zip_ratio"},
		"claims to be a bomb": {
			one(entry{name: "a", content: []byte(text), method: zip.Deflate, plainN: new(uint32(200 << 20))}), Limits{}, "zip_ratio",
		},
		"file too large": {one(stored("a", "12345")), Limits{MaxFileSize: 4}, "file_too_large"},
		"claims 4 GiB": {
			one(entry{name: "a", content: []byte(text), method: zip.Deflate, plainN: new(uint32(none32 - 1))}), Limits{}, "file_too_large",
		},
		"claims 4 EiB": {
			one(entry{name: "a", content: []byte(text), method: zip.Deflate, plainN: new(uint32(none32)), packN: new(uint32(none32)), extra: zip64}),
			Limits{},
			"file_too_large",
		},
		"claims to hold 4 EiB": {
			one(entry{name: "a", content: []byte(text), method: zip.Deflate, packN: new(uint32(none32)), extra: half}),
			Limits{},
			"zip_size",
		},
		"bundle too large": {one(stored("a", "12345")), Limits{MaxTotal: 7}, "bundle_too_large"},
		"too many files":   {one(stored("a", "12345")), Limits{MaxFiles: 1}, "too_many_files"},
		"same bytes twice": {
			archive{entries: []entry{packedEntry("index.html", text), {name: "b", content: []byte(text), method: zip.Deflate, at: new(uint32(0)), noLocal: true}}},
			Limits{},
			"zip_overlap",
		},
		"one within the other": {
			archive{entries: []entry{
				{name: "index.html", content: archive{entries: []entry{packedEntry("b", text)}}.build()},
				{name: "b", content: []byte(text), method: zip.Deflate, at: new(uint32(sizeLocal + len("index.html"))), noLocal: true},
			}},
			Limits{},
			"zip_overlap",
		},
		"empty ones share a header": {
			archive{entries: []entry{stored("index.html", ""), {name: "b", at: new(uint32(0)), noLocal: true}}},
			Limits{},
			"zip_overlap",
		},
		"header is elsewhere": {one(entry{name: "a", content: []byte(text), at: new(uint32(3))}), Limits{}, "zip_invalid"},
		"header is outside":   {one(entry{name: "a", content: []byte(text), at: new(uint32(1 << 30))}), Limits{}, "zip_invalid"},
	}
	for name, c := range badPaths() {
		if !strings.HasSuffix(c.path, "/") { // that would be a folder, and is allowed
			e := stored(c.path, "x")
			if !ascii(c.path) {
				e.flags = flagUTF8
			}
			rows["path: "+name] = row{one(e), Limits{}, "path_invalid"}
		}
	}
	var many []entry
	for i := range 125 {
		many = append(many, stored(fmt.Sprintf("d%d/", i), ""))
	}
	rows["too many folders"] = row{archive{entries: many}, Limits{MaxFiles: 10}, "too_many_files"}
	return rows
}

func TestCheckZipRefuses(t *testing.T) {
	for name, c := range badArchives() {
		t.Run(name, func(t *testing.T) {
			check, open := checkBoth(c.build(), c.limits)
			wantCode(t, check, c.code)
			// The strict way may find something else first.
			if open == nil {
				t.Error("OpenZip lets it pass")
			}
		})
	}
}

// What only OpenZip sees: archives that two readers take differently.
func ambiguousArchives() map[string]archive {
	const text = "some text to pack, some text to pack"
	trailed := entry{name: "a", content: []byte(text), method: zip.Deflate, flags: flagTrailer}
	with := func(e entry, change func(*entry)) archive { change(&e); return one(e) }
	plain := packedEntry("a", text)
	return map[string]archive{
		"other local name":           with(plain, func(e *entry) { e.localName = "b" }),
		"other, longer local name":   with(plain, func(e *entry) { e.localName = "../evil" }),
		"other local CRC":            with(plain, func(e *entry) { e.localCRC = new(uint32(1)) }),
		"local trailer only":         with(plain, func(e *entry) { e.localFlags = new(uint16(flagTrailer)) }),
		"local encryption":           with(plain, func(e *entry) { e.localFlags = new(uint16(1)) }),
		"trailer with local CRC":     with(trailed, func(e *entry) { e.localCRC = new(uint32(1)) }),
		"trailer says other":         with(trailed, func(e *entry) { e.trailer = []byte(sigTrailer + strings.Repeat("x", 12)) }),
		"trailer missing":            with(trailed, func(e *entry) { e.trailer = []byte{} }),
		"hidden entry at the start":  {entries: []entry{{name: "evil", content: []byte("x"), noDir: true}, stored("index.html", "x")}},
		"hidden entry in the middle": {entries: []entry{stored("index.html", "x"), {name: "evil", content: []byte("x"), noDir: true}, stored("a", "x")}},
		"hidden entry at the end":    {entries: []entry{stored("index.html", "x"), {name: "evil", content: []byte("x"), noDir: true}}},
		"bytes in between":           with(plain, func(e *entry) { e.before = []byte("gap") }),
		"bytes before the directory": {entries: []entry{stored("index.html", "x")}, beforeDir: []byte("gap")},
		"bytes at the start":         {entries: []entry{stored("index.html", "x")}, prefix: []byte("#!/bin/sh\n")},
		"bytes at the end":           {entries: []entry{stored("index.html", "x")}, tail: []byte("x")},
		"comment":                    {entries: []entry{stored("index.html", "x")}, comment: "hello"},
		"count too low":              {entries: []entry{stored("index.html", "x"), stored("a", "x")}, count: new(uint16(1))},
		"count too high":             {entries: []entry{stored("index.html", "x")}, count: new(uint16(2))},
		"64-bit count":               {entries: []entry{stored("index.html", "x")}, count: new(uint16(none16))},
	}
}

func TestOpenZipRefuses(t *testing.T) {
	for name, a := range ambiguousArchives() {
		t.Run(name, func(t *testing.T) {
			_, open := checkBoth(a.build(), Limits{})
			wantCode(t, open, "zip_invalid")
		})
	}
	whole := one(packedEntry("a", "text")).build()
	for n := range whole {
		if _, open := checkBoth(whole[:n], Limits{}); open == nil {
			t.Errorf("passes with %d of %d bytes", n, len(whole))
		}
	}
}

func TestCheckZipAccepts(t *testing.T) {
	const text = "some text to pack, some text to pack"
	for name, a := range map[string]archive{
		"plain":                         one(packedEntry("a", text)),
		"empty files and folders":       {entries: []entry{stored("a/", ""), packedEntry("b/", ""), stored("a/index.html", ""), packedEntry("c", "")}},
		"folder twice":                  {entries: []entry{stored("a/", ""), stored("a/", ""), stored("a/x", "1")}},
		"trailer":                       one(entry{name: "a", content: []byte(text), method: zip.Deflate, flags: flagTrailer}),
		"trailer without signature":     one(entry{name: "a", content: []byte(text), method: zip.Deflate, flags: flagTrailer, trailer: bareTrailer(text)}),
		"UTF-8":                         one(entry{name: "日本語/é.js", content: []byte(text), flags: flagUTF8}),
		"DOS":                           one(entry{name: "a", content: []byte(text), dos: true, attrs: 0x20}),
		"no mode":                       one(entry{name: "a", content: []byte(text)}),
		"executable":                    one(entry{name: "a", content: []byte(text), attrs: 0o100755 << 16}),
		"regular, 90:1":                 one(entry{name: "a", content: make([]byte, 1<<20), method: zip.Deflate}),
		"junk of others":                {entries: []entry{stored("index.html", "x"), stored("__MACOSX/._index.html", "x"), stored(".DS_Store", "x")}},
		"directory in another order":    reversed(),
		"more packed than plain, a bit": one(entry{name: "a", content: noise(1, 50), method: zip.Deflate}),
	} {
		t.Run(name, func(t *testing.T) {
			check, open := checkBoth(a.build(), Limits{})
			if check != nil || open != nil {
				t.Errorf("CheckZip: %v, OpenZip: %v", check, open)
			}
		})
	}
}

func bareTrailer(text string) []byte {
	le := binary.LittleEndian
	b := le.AppendUint32(nil, crc32.ChecksumIEEE([]byte(text)))
	return le.AppendUint32(le.AppendUint32(b, uint32(len(deflated([]byte(text))))), uint32(len(text)))
}

// reversed lists its entries in the directory from the last to the first.
func reversed() archive {
	first, second := stored("index.html", "x"), stored("a", "y")
	size := uint32(sizeLocal + len(first.name) + len(first.content))
	second.at, second.noLocal, second.before = new(size), true, nil
	local := second
	local.noLocal, local.noDir, local.at = false, true, nil
	first.at = new(uint32(0))
	head := first
	head.noDir = true
	first.noLocal = true
	return archive{entries: []entry{head, local, second, first}}
}
