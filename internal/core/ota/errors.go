package ota

import (
	"errors"
	"fmt"
)

// Kind says what sort of trouble an Error is; surfaces map it to an HTTP
// status or an exit code in one switch each.
type Kind int

// The kinds.
const (
	KindInternal     Kind = iota // a fault of ours or of the machine; the text stays private
	KindInvalid                  // the input is wrong: change it
	KindNotFound                 // no such thing
	KindConflict                 // clashes with what is there
	KindUnauthorized             // who are you
	KindForbidden                // you may not
	KindTooLarge                 // over a limit
	KindUnavailable              // try again later
)

// Error is the one error that crosses layers. Code is stable and documented;
// Msg is for people; Hint says what to do next; Field names the offending
// input; Err is the private cause and is never shown to a remote caller.
type Error struct {
	Kind  Kind
	Code  string
	Msg   string
	Hint  string
	Field string
	Err   error
}

func (e *Error) Error() string {
	if e.Err != nil {
		return e.Msg + ": " + e.Err.Error()
	}
	return e.Msg
}

// Unwrap returns the private cause.
func (e *Error) Unwrap() error { return e.Err }

// WithHint sets the next step and returns e.
func (e *Error) WithHint(format string, a ...any) *Error {
	e.Hint = fmt.Sprintf(format, a...)
	return e
}

// WithField names the input at fault and returns e.
func (e *Error) WithField(name string) *Error { e.Field = name; return e }

// WithCause sets the private cause and returns e.
func (e *Error) WithCause(err error) *Error { e.Err = err; return e }

// Errorf builds an Error of the kind.
func Errorf(k Kind, code, format string, a ...any) *Error {
	return &Error{Kind: k, Code: code, Msg: fmt.Sprintf(format, a...)}
}

// Invalid builds a KindInvalid error.
func Invalid(code, format string, a ...any) *Error { return Errorf(KindInvalid, code, format, a...) }

// NotFound builds a KindNotFound error.
func NotFound(code, format string, a ...any) *Error { return Errorf(KindNotFound, code, format, a...) }

// Conflict builds a KindConflict error.
func Conflict(code, format string, a ...any) *Error { return Errorf(KindConflict, code, format, a...) }

// KindOf returns the kind of the first Error in err's chain, else KindInternal.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return KindInternal
}

// CodeOf returns the code of the first Error in err's chain, else "internal".
func CodeOf(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return "internal"
}
