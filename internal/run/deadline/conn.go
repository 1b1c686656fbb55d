package deadline

import (
	"net"
	"os"
	"sync"
	"time"
)

// conn is a TCP connection; its methods beyond these, like the one that sends
// files without copying, stay what they are.
type conn struct {
	*net.TCPConn
	of *Listener

	mu      sync.Mutex
	at      int64 // Unix nanoseconds when reading must end; 0 = never
	over    bool  // that time has come
	reading bool  // a Read is in the kernel's hands
	woken   bool  // the connection itself has a deadline, to end such a Read
}

// Read reads as the connection does, or returns os.ErrDeadlineExceeded.
func (c *conn) Read(p []byte) (int, error) {
	c.mu.Lock()
	if c.over {
		c.mu.Unlock()
		return 0, os.ErrDeadlineExceeded
	}
	c.reading = true
	c.mu.Unlock()
	n, err := c.TCPConn.Read(p)
	c.mu.Lock()
	c.reading = false
	c.mu.Unlock()
	return n, err
}

// SetReadDeadline bounds this and later reads. A time that has passed ends them
// at once, one to come within a second after it.
func (c *conn) SetReadDeadline(t time.Time) error {
	at := int64(0)
	if !t.IsZero() {
		at = t.UnixNano()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at, c.over = at, false
	if at != 0 && at <= c.of.now.Load() {
		return c.end()
	}
	if !c.woken {
		return nil
	}
	c.woken = false
	return c.TCPConn.SetReadDeadline(time.Time{})
}

// SetDeadline bounds reads and writes.
func (c *conn) SetDeadline(t time.Time) error {
	if err := c.SetReadDeadline(t); err != nil {
		return err
	}
	return c.SetWriteDeadline(t)
}

// Close closes the connection.
func (c *conn) Close() error {
	c.of.forget(c)
	return c.TCPConn.Close()
}

func (c *conn) expire(now int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.at != 0 && c.at <= now && !c.over {
		_ = c.end() // fails only on a connection that is closed
	}
}

// end lets no read begin and wakes the one under way; the caller holds the lock.
func (c *conn) end() error {
	c.over = true
	if !c.reading || c.woken {
		return nil
	}
	c.woken = true
	return c.TCPConn.SetReadDeadline(time.Unix(1, 0))
}
