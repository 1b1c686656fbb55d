package sealedworld

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Mutation is a document with one thing wrong.
type Mutation struct {
	Path  string // of the field
	How   string // removed, empty, doubled, type, null or added
	Bytes []byte
}

// node is a JSON value whose members may come twice.
type node struct {
	raw  string // of a scalar
	kind byte   // { [ " 0 t n
	keys []string
	kids []*node
}

// Mutations lists every way to leave out, empty, double or retype one field of a
// document, wherever it is, and to add one. What comes out is canonical where the
// fault lets it be. It returns nil for what is no JSON.
func Mutations(doc []byte) []Mutation {
	dec := json.NewDecoder(bytes.NewReader(doc))
	dec.UseNumber()
	root, err := parseNode(dec)
	if err != nil {
		return nil
	}
	var out []Mutation
	note := func(path, how string) {
		out = append(out, Mutation{path, how, []byte(root.text())})
	}
	var walk func(n *node, path string)
	walk = func(n *node, path string) {
		for i := 0; i < len(n.kids); i++ {
			kid := n.kids[i]
			at := fmt.Sprintf("%s[%d]", path, i)
			if n.kind == '{' {
				at = strings.TrimPrefix(path+"."+n.keys[i], ".")
			}
			n.cut(i, 1)
			note(at, "removed")
			n.put(i, at, kid)
			n.put(i, at, kid)
			note(at, "doubled")
			n.cut(i, 1)
			for how, others := range map[string][]*node{"empty": {kid.empty()}, "type": kid.others(), "null": {{kind: 'n', raw: "null"}}} {
				for _, o := range others {
					if o == nil {
						continue
					}
					n.kids[i] = o
					note(at, how)
				}
			}
			n.kids[i] = kid
			walk(kid, at)
		}
		if n.kind == '{' {
			n.keys, n.kids = append(n.keys, "zz_new"), append(n.kids, &node{kind: '0', raw: "1"})
			note(path+".zz_new", "added")
			n.cut(len(n.kids)-1, 1)
		}
	}
	walk(root, "")
	slices.SortStableFunc(out, func(a, b Mutation) int { return strings.Compare(a.Path+a.How, b.Path+b.How) })
	return out
}

func (n *node) cut(i, count int) {
	n.kids = slices.Delete(slices.Clone(n.kids), i, i+count)
	if n.kind == '{' {
		n.keys = slices.Delete(slices.Clone(n.keys), i, i+count)
	}
}

func (n *node) put(i int, path string, kid *node) {
	n.kids = slices.Insert(slices.Clone(n.kids), i, kid)
	if n.kind == '{' {
		key := path[strings.LastIndexByte(path, '.')+1:]
		if i < len(n.keys) && strings.HasSuffix(path, n.keys[i]) {
			key = n.keys[i]
		}
		n.keys = slices.Insert(slices.Clone(n.keys), i, key)
	}
}

// empty is the value of the same type that says nothing; nil if it is that.
func (n *node) empty() *node {
	e := map[byte]*node{'{': {kind: '{'}, '[': {kind: '['}, '"': {kind: '"', raw: `""`}, '0': {kind: '0', raw: "0"}, 't': {kind: 't', raw: "false"}}[n.kind]
	if e == nil || e.text() == n.text() {
		return nil
	}
	return e
}

// others are values of other types.
func (n *node) others() []*node {
	var out []*node
	for _, o := range []*node{{kind: '{'}, {kind: '['}, {kind: '"', raw: `"x"`}, {kind: '0', raw: "1"}, {kind: 't', raw: "true"}} {
		if o.kind != n.kind {
			out = append(out, o)
		}
	}
	return out
}

func (n *node) text() string {
	switch n.kind {
	case '{':
		parts := make([]string, len(n.kids))
		for i, k := range n.kids {
			parts[i] = `"` + n.keys[i] + `":` + k.text()
		}
		return "{" + strings.Join(parts, ",") + "}"
	case '[':
		parts := make([]string, len(n.kids))
		for i, k := range n.kids {
			parts[i] = k.text()
		}
		return "[" + strings.Join(parts, ",") + "]"
	}
	return n.raw
}

func parseNode(dec *json.Decoder) (*node, error) {
	tok, err := dec.Token()
	if err != nil {
		return nil, err
	}
	switch v := tok.(type) {
	case json.Delim:
		n := &node{kind: byte(v)}
		for dec.More() {
			if n.kind == '{' {
				key, err := dec.Token()
				if err != nil {
					return nil, err
				}
				n.keys = append(n.keys, fmt.Sprint(key))
			}
			kid, err := parseNode(dec)
			if err != nil {
				return nil, err
			}
			n.kids = append(n.kids, kid)
		}
		_, err := dec.Token()
		return n, err
	case string:
		r := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)
		return &node{kind: '"', raw: `"` + r.Replace(v) + `"`}, nil
	case json.Number:
		return &node{kind: '0', raw: v.String()}, nil
	case bool:
		return &node{kind: 't', raw: fmt.Sprint(v)}, nil
	}
	return &node{kind: 'n', raw: "null"}, nil
}
