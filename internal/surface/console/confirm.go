package console

// confirmView asks whether something is really meant, and says what will happen.
type confirmView struct {
	Heading string
	What    []string // will happen
	Facts   [][2]string
	Reason  string      // label of a field for why; "" = none
	Fields  [][2]string // goes along unseen
	Choices *confirmChoices
	Button  string
	Back    string // where "Cancel" leads
}

// confirmChoices is something to choose before it is done.
type confirmChoices struct {
	Name, Label string
	Options     [][2]string // value and text
}

// confirmed registers an act with a page before it that says what it does. The
// page asks for the same right as the act, so that a fresh proof that the act
// wants is given before anything is typed in.
func (c *Console) confirmed(rt route, ask func(*request) (confirmView, error), do handler) {
	show := func(r *request) (answer, error) {
		v, err := ask(r)
		return r.show("confirm", v.Heading, v), err
	}
	rt.method = "GET"
	c.page(rt, show)
	rt.method = "POST"
	c.act(rt, do, show)
}

// secretView shows what is shown only once.
type secretView struct {
	Heading string
	About   string
	Label   string // what the text is
	Text    string
	Notes   []string
	Code    string // what to do with it, on a command line
	Back    string
	BackTo  string // name of where that is
}

// showOnce answers with a secret. It is the answer to the form itself: nothing
// keeps it for another page.
func (r *request) showOnce(v secretView) answer { return r.show("secret", v.Heading, v) }
