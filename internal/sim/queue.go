package sim

// turn is when a device is next at work.
type turn struct {
	at    ms
	phone uint32
}

func (t turn) before(o turn) bool { return t.at < o.at || t.at == o.at && t.phone < o.phone }

// queue is a heap of turns with four children a node: the earliest is first,
// and every device has at most one.
type queue []turn

func (q queue) down(i int) {
	t := q[i]
	for {
		first := 4*i + 1
		if first >= len(q) {
			break
		}
		least := first
		for c := first + 1; c < min(first+4, len(q)); c++ {
			if q[c].before(q[least]) {
				least = c
			}
		}
		if !q[least].before(t) {
			break
		}
		q[i], i = q[least], least
	}
	q[i] = t
}

// build orders turns that were put in anyhow.
func (q queue) build() {
	for i := len(q)/4 + 1; i >= 0; i-- {
		if i < len(q) {
			q.down(i)
		}
	}
}

// again moves the first turn to a later time.
func (q queue) again(at ms) {
	q[0].at = at
	q.down(0)
}

// drop takes the first turn out.
func (q *queue) drop() {
	old := *q
	last := len(old) - 1
	old[0] = old[last]
	*q = old[:last]
	if last > 0 {
		q.down(0)
	}
}
