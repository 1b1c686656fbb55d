package jsast

import "github.com/tdewolff/parse/v2/js"

func (w *walker) expr(e js.IExpr) {
	switch e := e.(type) {
	case nil:
	case *js.Var:
		w.variable(e)
	case *js.LiteralExpr:
		at := w.at.to(e.Data)
		if e.TokenType == js.StringToken && w.h.String != nil {
			w.h.String(e.Data, at)
		}
	case *js.DotExpr:
		w.expr(e.X)
		w.dot(e)
	case *js.IndexExpr:
		w.expr(e.X)
		w.expr(e.Y)
		if n := Name(e); n != nil && w.h.Member != nil {
			w.h.Member(e, n, w.at.last)
		}
	case *js.CallExpr:
		w.call(e, e.X, e.Args.List, false)
	case *js.NewExpr:
		var args []js.Arg
		if e.Args != nil {
			args = e.Args.List
		}
		w.call(e, e.X, args, true)
	case *js.BinaryExpr:
		w.binary(e)
	case *js.UnaryExpr:
		w.expr(e.X)
	case *js.CondExpr:
		w.expr(e.Cond)
		w.expr(e.X)
		w.expr(e.Y)
	case *js.GroupExpr:
		w.expr(e.X)
	case *js.CommaExpr:
		for _, x := range e.List {
			w.expr(x)
		}
	default:
		w.literal(e)
	}
}

// literal walks what builds values.
func (w *walker) literal(e js.IExpr) {
	switch e := e.(type) {
	case *js.ArrayExpr:
		for i := range e.List {
			w.expr(e.List[i].Value)
		}
	case *js.ObjectExpr:
		for i := range e.List {
			w.property(&e.List[i])
		}
	case *js.TemplateExpr:
		w.template(e)
	case *js.ArrowFunc:
		w.function(nil, &e.Params, &e.Body)
	case *js.FuncDecl:
		w.function(e.Name, &e.Params, &e.Body)
	case *js.ClassDecl:
		w.class(e)
	case *js.MethodDecl:
		w.method(e)
	case *js.VarDecl:
		w.varDecl(e)
	case *js.YieldExpr:
		w.expr(e.X)
	}
}

func (w *walker) dot(e *js.DotExpr) {
	n := Name(e)
	at := w.at.to(n)
	if w.h.Member != nil {
		w.h.Member(e, n, at)
	}
}

func (w *walker) call(e, callee js.IExpr, args []js.Arg, isNew bool) {
	w.expr(callee)
	if w.h.Call != nil {
		w.h.Call(&Call{Callee: callee, Name: Name(callee), Args: args, New: isNew, Offset: w.at.last, Expr: e})
	}
	for i := range args {
		w.expr(args[i].Value)
	}
}

func (w *walker) binary(e *js.BinaryExpr) {
	w.expr(e.X)
	at := w.at.last
	switch e.Op {
	case js.EqToken, js.AddEqToken, js.NullishEqToken, js.OrEqToken:
		if w.h.Assign != nil {
			w.h.Assign(e.X, e.Y, Name(e.X), at)
		}
		w.expr(e.Y)
	case js.LtToken, js.LtEqToken, js.GtToken, js.GtEqToken, js.EqEqToken, js.EqEqEqToken, js.NotEqToken, js.NotEqEqToken:
		w.expr(e.Y)
		if w.h.Compare != nil {
			w.h.Compare(e, at)
		}
	default:
		w.expr(e.Y)
	}
}

func (w *walker) property(p *js.Property) {
	short := false
	if p.Name != nil {
		at := w.propertyName(p.Name)
		if w.h.Property != nil && p.Name.Computed == nil {
			w.h.Property(bare(p.Name.Literal), p.Value, at)
		}
		_, isVar := p.Value.(*js.Var)
		short = isVar && p.Name.Computed == nil && !w.at.colon()
	}
	if short {
		if w.h.Variable != nil {
			w.h.Variable(p.Value.(*js.Var), w.at.last)
		}
	} else {
		w.expr(p.Value)
	}
	w.expr(p.Init)
}

func (w *walker) template(e *js.TemplateExpr) {
	w.expr(e.Tag)
	part := func(b []byte) {
		if len(b) == 0 {
			return
		}
		at := w.at.to(b)
		if w.h.String != nil {
			w.h.String(b, at)
		}
	}
	for i := range e.List {
		part(e.List[i].Value)
		w.expr(e.List[i].Expr)
	}
	part(e.Tail)
}

// bare returns a property's name without quotes.
func bare(l js.LiteralExpr) []byte {
	if l.TokenType == js.StringToken && len(l.Data) >= 2 {
		return l.Data[1 : len(l.Data)-1]
	}
	return l.Data
}
