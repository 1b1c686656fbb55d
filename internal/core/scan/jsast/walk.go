package jsast

import "github.com/tdewolff/parse/v2/js"

// Call is a call or construction.
type Call struct {
	Callee js.IExpr
	Name   []byte // last name of the callee; nil if it has none
	Args   []js.Arg
	New    bool
	Offset int // of the name
	Expr   js.IExpr
}

// Arg returns the i-th argument, or nil.
func (c *Call) Arg(i int) js.IExpr {
	if i >= len(c.Args) {
		return nil
	}
	return c.Args[i].Value
}

// Hooks are called in the order of the source. Nil hooks are left out. Slices
// point into the program's text.
type Hooks struct {
	Call     func(c *Call)                                     // before its arguments
	Assign   func(target, value js.IExpr, name []byte, at int) // target = value, before the value
	Declare  func(binding js.IBinding, value js.IExpr)         // var x = value; value may be nil
	Property func(name []byte, value js.IExpr, at int)         // {name: value}, before the value
	String   func(literal []byte, at int)                      // with its quotes; parts of templates too
	Variable func(v *js.Var, at int)                           // every use
	Member   func(e js.IExpr, name []byte, at int)             // a.name
	Compare  func(e *js.BinaryExpr, at int)                    // ==, <, …, after its operands
	Debugger func(at int)                                      // the statement
	Function func(params *js.Params, enter bool)               // around parameters and body
	Import   func(module []byte, at int)                       // import and export … from, with quotes
}

// Walk calls the hooks for the whole program.
func Walk(p *Program, h *Hooks) {
	w := walker{h: h, at: cursor{src: p.Src}}
	w.stmts(p.AST.List)
}

type walker struct {
	h  *Hooks
	at cursor
}

func (w *walker) stmts(list []js.IStmt) {
	for _, s := range list {
		w.stmt(s)
	}
}

func (w *walker) block(b *js.BlockStmt) {
	if b != nil {
		w.stmts(b.List)
	}
}

func (w *walker) stmt(s js.IStmt) {
	switch s := s.(type) {
	case *js.ExprStmt:
		w.expr(s.Value)
	case *js.BlockStmt:
		w.block(s)
	case *js.IfStmt:
		w.expr(s.Cond)
		w.stmt(s.Body)
		w.stmt(s.Else)
	case *js.ReturnStmt:
		w.expr(s.Value)
	case *js.ThrowStmt:
		w.expr(s.Value)
	case *js.VarDecl:
		w.varDecl(s)
	case *js.FuncDecl:
		w.function(s.Name, &s.Params, &s.Body)
	case *js.ClassDecl:
		w.class(s)
	case *js.LabelledStmt:
		w.at.to(s.Label)
		w.stmt(s.Value)
	case *js.BranchStmt:
		w.at.to(s.Label)
	case *js.DirectivePrologueStmt:
		w.at.to(s.Value)
	case *js.DebuggerStmt:
		at := w.at.to([]byte("debugger"))
		if w.h.Debugger != nil {
			w.h.Debugger(at)
		}
	case *js.ImportStmt:
		w.at.to(s.Default)
		w.aliases(s.List)
		w.module(s.Module)
	case *js.ExportStmt:
		w.aliases(s.List)
		w.module(s.Module)
		w.expr(s.Decl)
	default:
		w.compound(s)
	}
}

// compound walks loops, switch and try.
func (w *walker) compound(s js.IStmt) {
	switch s := s.(type) {
	case *js.DoWhileStmt:
		w.stmt(s.Body)
		w.expr(s.Cond)
	case *js.WhileStmt:
		w.expr(s.Cond)
		w.stmt(s.Body)
	case *js.WithStmt:
		w.expr(s.Cond)
		w.stmt(s.Body)
	case *js.ForStmt:
		w.expr(s.Init)
		w.expr(s.Cond)
		w.expr(s.Post)
		w.block(s.Body)
	case *js.ForInStmt:
		w.expr(s.Init)
		w.expr(s.Value)
		w.block(s.Body)
	case *js.ForOfStmt:
		w.expr(s.Init)
		w.expr(s.Value)
		w.block(s.Body)
	case *js.SwitchStmt:
		w.expr(s.Init)
		for i := range s.List {
			w.expr(s.List[i].Cond)
			w.stmts(s.List[i].List)
		}
	case *js.TryStmt:
		w.block(s.Body)
		w.binding(s.Binding)
		w.block(s.Catch)
		w.block(s.Finally)
	}
}

func (w *walker) aliases(list []js.Alias) {
	for i := range list {
		w.at.to(list[i].Name)
		w.at.to(list[i].Binding)
	}
}

func (w *walker) module(m []byte) {
	if len(m) == 0 {
		return
	}
	at := w.at.to(m)
	if w.h.Import != nil {
		w.h.Import(m, at)
	}
}

func (w *walker) varDecl(d *js.VarDecl) {
	for i := range d.List {
		e := &d.List[i]
		w.binding(e.Binding)
		if w.h.Declare != nil {
			w.h.Declare(e.Binding, e.Default)
		}
		w.expr(e.Default)
	}
}

func (w *walker) element(e *js.BindingElement) {
	w.binding(e.Binding)
	w.expr(e.Default)
}

func (w *walker) binding(b js.IBinding) {
	switch b := b.(type) {
	case *js.Var:
		w.variable(b)
	case *js.BindingArray:
		for i := range b.List {
			w.element(&b.List[i])
		}
		w.binding(b.Rest)
	case *js.BindingObject:
		for i := range b.List {
			it := &b.List[i]
			short := false
			if it.Key != nil {
				w.propertyName(it.Key)
				short = it.Key.Computed == nil && !w.at.colon()
			}
			if short {
				w.expr(it.Value.Default)
			} else {
				w.element(&it.Value)
			}
		}
		if b.Rest != nil {
			w.variable(b.Rest)
		}
	}
}

func (w *walker) propertyName(n *js.PropertyName) int {
	if n.Computed != nil {
		w.expr(n.Computed)
		return w.at.last
	}
	return w.at.to(n.Literal.Data)
}

func (w *walker) elementName(n *js.ClassElementName) {
	if n.Private != nil {
		w.variable(n.Private)
		return
	}
	w.propertyName(&n.PropertyName)
}

func (w *walker) function(name *js.Var, params *js.Params, body *js.BlockStmt) {
	if name != nil {
		w.variable(name)
	}
	if w.h.Function != nil {
		w.h.Function(params, true)
	}
	for i := range params.List {
		w.element(&params.List[i])
	}
	w.binding(params.Rest)
	w.block(body)
	if w.h.Function != nil {
		w.h.Function(params, false)
	}
}

func (w *walker) method(m *js.MethodDecl) {
	w.elementName(&m.Name)
	w.function(nil, &m.Params, &m.Body)
}

func (w *walker) class(c *js.ClassDecl) {
	if c.Name != nil {
		w.variable(c.Name)
	}
	w.expr(c.Extends)
	for i := range c.List {
		switch e := &c.List[i]; {
		case e.StaticBlock != nil:
			w.block(e.StaticBlock)
		case e.Method != nil:
			w.method(e.Method)
		default:
			w.elementName(&e.Name)
			w.expr(e.Init)
		}
	}
}

func (w *walker) variable(v *js.Var) {
	at := w.at.to(v.Name())
	if w.h.Variable != nil {
		w.h.Variable(v, at)
	}
}
