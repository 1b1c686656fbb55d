package syslog

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func entry(leaf int64) ota.AuditEntry {
	return ota.AuditEntry{Leaf: leaf, Kept: true, Change: ota.Change{
		ID: leaf + 1, At: 1700000000123, Actor: "user:ada@example.com", Action: "app.update", App: "com.example.a", Object: fmt.Sprint(leaf), Detail: "{}",
	}}
}

func TestMessage(t *testing.T) {
	hostile := entry(4)
	hostile.Object, hostile.Actor, hostile.Action, hostile.Kept = "a\"b\\c]d\ne\x00\xff<é>", "", "x y\n.z", false
	long := entry(5)
	long.Object = strings.Repeat("é", 3000)
	for name, row := range map[string]struct {
		e    ota.AuditEntry
		host string
		want string
	}{
		"plain": {entry(3), "ota.example.com", `<109>1 2023-11-14T22:13:20.123Z ota.example.com waxwing - app.update [audit@32473 entry="4" leaf="3" actor="user:ada@example.com" action="app.update" app="com.example.a" object="3"] ` +
			"\ufeff" + `{"action":"app.update","actor":"user:ada@example.com","after":"","app":"com.example.a","at":1700000000123,"before":"","detail":"{}","id":4,"object":"3","org":"","request_id":"","v":1}`},
		"hostile": {hostile, " \n", `<109>1 2023-11-14T22:13:20.123Z - waxwing - xy.z [audit@32473 entry="5" leaf="4" action="x y .z" app="com.example.a" object="a\"b\\c\]d e �<é>"]`},
	} {
		if d := cmp.Diff(row.want, string(message(row.e, row.host, 0))); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	if m := message(long, "h", 500); len(m) > 2*maxParam || strings.Contains(string(m), "\ufeff") {
		t.Errorf("a long one has %d bytes", len(m))
	}
}

// memory is a log that grows.
type memory struct {
	mu     sync.Mutex
	n      int64
	cursor map[string]int64
}

func (m *memory) AuditEntries(_ context.Context, from int64, limit int) ([]ota.AuditEntry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []ota.AuditEntry
	for at := from; at < m.n && len(out) < limit; at++ {
		out = append(out, entry(at))
	}
	return out, nil
}

func (m *memory) AuditCursor(_ context.Context, reader string) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.cursor[reader], nil
}

func (m *memory) SetAuditCursor(_ context.Context, reader string, leaf int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.cursor[reader] = leaf
	return nil
}

func (m *memory) grow(n int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.n += n
}

// signal is a log that tells when something is said.
type signal chan struct{}

func (s signal) Write(p []byte) (int, error) {
	select {
	case s <- struct{}{}:
	default:
	}
	return len(p), nil
}

// run runs a forwarder until the test ends. A send on the first channel it
// returns ends one of its waits; the second tells of failures.
func run(t *testing.T, m *memory, target string) (chan<- time.Time, <-chan struct{}) {
	t.Helper()
	warned := make(signal, 1)
	f, err := New(m, target, "ota.example.com", slog.New(slog.NewTextHandler(warned, nil)))
	if err != nil {
		t.Fatal(err)
	}
	tick := make(chan time.Time)
	f.after = func(time.Duration) <-chan time.Time { return tick }
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- f.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return tick, warned
}

// read reads one message that is counted in octets.
func read(r *bufio.Reader) (string, error) {
	n, err := r.ReadString(' ')
	if err != nil {
		return "", err
	}
	size, err := strconv.Atoi(strings.TrimSuffix(n, " "))
	if err != nil {
		return "", err
	}
	b := make([]byte, size)
	_, err = io.ReadFull(r, b)
	return string(b), err
}

func TestForwardTCP(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	m := &memory{n: batch + 3, cursor: map[string]int64{}}
	tick, warned := run(t, m, "tcp://"+l.Addr().String())
	accept := func() (net.Conn, *bufio.Reader) {
		c, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		return c, bufio.NewReader(c)
	}
	expect := func(r *bufio.Reader, from, to int64) {
		t.Helper()
		for at := from; at < to; at++ {
			got, err := read(r)
			if err != nil || got != string(message(entry(at), "ota.example.com", 0)) {
				t.Fatalf("entry %d: %q, %v", at, got, err)
			}
		}
	}
	c, r := accept()
	expect(r, 0, batch+3)
	m.grow(2)
	tick <- time.Time{}
	expect(r, batch+3, batch+5)
	tick <- time.Time{} // now the cursor is stored
	// The server goes away: nothing is lost, and it goes on where it was.
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	<-warned
	m.grow(2)
	tick <- time.Time{} // the wait for another try
	c, r = accept()
	defer c.Close()
	expect(r, batch+5, batch+7)
}

func TestForwardUDP(t *testing.T) {
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	run(t, &memory{n: 3, cursor: map[string]int64{}}, "udp://"+c.LocalAddr().String())
	buf := make([]byte, 1<<16)
	for at := range int64(3) {
		n, _, err := c.ReadFrom(buf)
		if err != nil || string(buf[:n]) != string(message(entry(at), "ota.example.com", 0)) {
			t.Fatalf("entry %d: %q, %v", at, buf[:n], err)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	for _, target := range []string{"", "logs.example.com:514", "http://a:1", "tcp://a", "tls://"} {
		if _, err := New(&memory{}, target, "h", slog.New(slog.DiscardHandler)); ota.CodeOf(err) != "config_invalid" {
			t.Errorf("%q: %v", target, err)
		}
	}
}
