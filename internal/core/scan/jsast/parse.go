package jsast

import (
	"errors"
	"fmt"
	"slices"

	"github.com/tdewolff/parse/v2"
	"github.com/tdewolff/parse/v2/js"
)

// Program is a parsed script.
type Program struct {
	AST *js.AST
	// Src is what was parsed. It is the text that was given, or as long as it,
	// unless Map is set.
	Src []byte
	// Map finds the offset in the given text of one in Src; nil = the same.
	Map func(offset int) int
}

// Mode says how a text is to be read.
type Mode int

// The modes.
const (
	ModeFile   Mode = iota // a script or module
	ModeInline             // the body of an event attribute or a javascript: URL
)

// Parse reads src. What the parser does not know is first taken out in place,
// then lowered by a compiler if the text is small enough for its recursion. The
// error is that of the first attempt. src is not changed.
func Parse(src []byte, mode Mode) (*Program, error) {
	ast, err := parseOnce(src, mode)
	if err == nil {
		return &Program{AST: ast, Src: src}, nil
	}
	if blanked, ok := blank(src); ok {
		if ast, again := parseOnce(blanked, mode); again == nil {
			return &Program{AST: ast, Src: blanked}, nil
		}
	}
	if p := lower(src, mode); p != nil {
		return p, nil
	}
	return nil, err
}

// parseOnce runs the parser and turns a panic of it into an error.
func parseOnce(src []byte, mode Mode) (ast *js.AST, err error) {
	defer func() {
		if r := recover(); r != nil {
			ast, err = nil, fmt.Errorf("the parser gave up: %v", r)
		}
	}()
	// The parser writes a zero byte behind the text: never into shared memory.
	ast, err = js.Parse(parse.NewInputBytes(slices.Clip(src)), js.Options{Inline: mode == ModeInline})
	if pe, ok := errors.AsType[*parse.Error](err); ok {
		return nil, fmt.Errorf("line %d: %s", pe.Line, pe.Message)
	}
	return ast, err
}
