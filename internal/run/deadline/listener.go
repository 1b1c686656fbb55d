package deadline

import (
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// every is how long a deadline may be overdue before somebody looks.
const every = time.Second

// Listener accepts connections whose read deadlines are watched together.
type Listener struct {
	net.Listener

	now atomic.Int64 // Unix nanoseconds of the last look

	mu     sync.Mutex
	conns  map[*conn]struct{}
	closed bool
}

// Listen watches what l accepts, until it is closed and its last connection with it.
// Connections that are not TCP come as they are.
func Listen(l net.Listener) *Listener {
	d := &Listener{Listener: l, conns: map[*conn]struct{}{}}
	d.now.Store(time.Now().UnixNano())
	go d.watch()
	return d
}

// Accept waits for the next connection.
func (l *Listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		return c, nil
	}
	watched := &conn{TCPConn: tcp, of: l}
	l.mu.Lock()
	l.conns[watched] = struct{}{}
	l.mu.Unlock()
	return watched, nil
}

// Close stops accepting; connections keep their deadlines.
func (l *Listener) Close() error {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	return l.Listener.Close()
}

func (l *Listener) watch() {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for now := range tick.C {
		if !l.look(now.UnixNano()) {
			return
		}
	}
}

// look ends the reads whose time is over, and says whether there can be more.
func (l *Listener) look(now int64) bool {
	l.now.Store(now)
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.conns {
		c.expire(now)
	}
	return !l.closed || len(l.conns) > 0
}

func (l *Listener) forget(c *conn) {
	l.mu.Lock()
	delete(l.conns, c)
	l.mu.Unlock()
}
