package deadline

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// pair is a watched connection and the other end of it. Nobody looks but the test.
func pair(t *testing.T) (*Listener, *conn, net.Conn) {
	t.Helper()
	raw, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &Listener{Listener: raw, conns: map[*conn]struct{}{}}
	l.now.Store(time.Now().UnixNano())
	peer, err := net.Dial("tcp", raw.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _, _ = c.Close(), peer.Close(), l.Close() })
	return l, c.(*conn), peer
}

// blocked starts a read and returns once it is under way.
func blocked(c *conn) <-chan error {
	done := make(chan error, 1)
	go func() {
		_, err := c.Read(make([]byte, 1))
		done <- err
	}()
	for {
		c.mu.Lock()
		reading := c.reading
		c.mu.Unlock()
		if reading {
			return done
		}
	}
}

func wantOver(t *testing.T, err error) {
	t.Helper()
	var timeout net.Error
	if !errors.Is(err, os.ErrDeadlineExceeded) || !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Fatalf("read ended with %v, want a deadline", err)
	}
}

func wantByte(t *testing.T, c *conn, peer net.Conn) {
	t.Helper()
	if _, err := peer.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if n, err := c.Read(make([]byte, 1)); n != 1 || err != nil {
		t.Fatalf("read %d, %v", n, err)
	}
}

func TestReadEndsWhenItsTimeHasCome(t *testing.T) {
	l, c, peer := pair(t)
	at := time.Now().Add(time.Minute)
	if err := c.SetDeadline(at); err != nil {
		t.Fatal(err)
	}
	done := blocked(c)
	l.look(at.Add(-time.Nanosecond).UnixNano())
	select {
	case err := <-done:
		t.Fatalf("ended too early: %v", err)
	default:
	}
	l.look(at.UnixNano())
	wantOver(t, <-done)
	l.look(at.Add(time.Second).UnixNano())
	_, err := c.Read(make([]byte, 1)) // and it stays over
	wantOver(t, err)
	for _, next := range []time.Time{{}, at.Add(time.Hour)} {
		if err := c.SetReadDeadline(next); err != nil {
			t.Fatal(err)
		}
		wantByte(t, c, peer)
	}
}

func TestTimeThatHasPassed(t *testing.T) {
	_, c, peer := pair(t)
	past := time.Unix(1, 0)
	done := blocked(c)
	for range 2 { // again is no different
		if err := c.SetReadDeadline(past); err != nil {
			t.Fatal(err)
		}
	}
	wantOver(t, <-done)
	if err := c.SetReadDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	wantByte(t, c, peer)
	_ = c.SetReadDeadline(past) // nobody reads: the connection itself hears nothing of it
	if c.woken {
		t.Error("a deadline was set though nobody read")
	}
	_, err := c.Read(make([]byte, 1))
	wantOver(t, err)
}

func TestConnectionsAreForgotten(t *testing.T) {
	l, c, _ := pair(t)
	if !l.look(0) {
		t.Error("watching ends while the listener is open")
	}
	_ = l.Close()
	if !l.look(0) {
		t.Error("watching ends before the last connection")
	}
	_ = c.Close()
	if l.look(0) {
		t.Error("watching goes on with nothing to watch")
	}
}

// Deadlines, looks and reads at once: each read gets its byte or hears that its
// time is over, and nothing hangs.
func TestManyAtOnce(t *testing.T) {
	l, c, peer := pair(t)
	const n = 2000
	stop := make(chan struct{})
	var others sync.WaitGroup
	others.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			_ = c.SetReadDeadline([]time.Time{{}, time.Unix(1, 0), time.Now()}[i%3])
			l.look(time.Now().UnixNano())
		}
	})
	go func() { _, _ = io.CopyN(peer, strings.NewReader(strings.Repeat("x", n)), n) }()
	got := 0
	for got < n {
		k, err := c.Read(make([]byte, 7))
		if got += k; err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal(err)
		}
	}
	close(stop)
	others.Wait()
}

// A whole server over it: connections are kept alive, and what dawdles is cut.
func TestServer(t *testing.T) {
	raw, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := Listen(raw)
	s := &http.Server{ReadTimeout: time.Hour, IdleTimeout: 2 * time.Hour, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s got %d", r.RemoteAddr, len(b))
	})}
	go func() { _ = s.Serve(l) }()
	defer s.Close()
	seen := map[string]bool{}
	for i := range 50 {
		res, err := http.Post("http://"+l.Addr().String(), "text/plain", strings.NewReader(strings.Repeat("x", i)))
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		from, n, _ := strings.Cut(string(b), " got ")
		if n != fmt.Sprint(i) {
			t.Fatalf("answer %q", b)
		}
		seen[from] = true
	}
	if len(seen) != 1 {
		t.Errorf("%d connections for requests one after another", len(seen))
	}
	http.DefaultClient.CloseIdleConnections()

	slow, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	fmt.Fprint(slow, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab") // and no more
	for cut := false; !cut; {
		l.mu.Lock()
		for c := range l.conns {
			c.mu.Lock()
			cut = cut || c.reading && c.at != 0
			c.mu.Unlock()
		}
		l.mu.Unlock()
	}
	l.look(time.Now().Add(90 * time.Minute).UnixNano())
	answer, _ := bufio.NewReader(slow).ReadString('\n') // ends: nothing keeps the connection open
	if strings.Contains(answer, "got 5") {
		t.Errorf("answer %q to half a request", answer)
	}
}

// The one who looks is there by itself.
func TestListenWatches(t *testing.T) {
	raw, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := Listen(raw)
	defer l.Close()
	peer, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetReadDeadline(time.Now().Add(time.Millisecond))
	_, err = c.Read(make([]byte, 1))
	wantOver(t, err)
	if _, ok := c.(io.ReaderFrom); !ok {
		t.Error("files are not sent without copying")
	}
}
