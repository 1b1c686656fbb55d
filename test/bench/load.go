package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// load is a bounded run of requests over a few kept-alive connections, as thin
// as can be, so that the measuring side costs less than the measured one.
type load struct {
	addr     string
	path     string
	conns    int
	requests int                       // in all
	body     func(n int) []byte        // of request n
	every    time.Duration             // pace of one connection; 0 = as fast as answers come
	check    func(answer []byte) error // nil = any 200 will do
}

// result of a load.
type result struct {
	wall      time.Duration
	latencies []time.Duration // sorted
}

func (r result) quantile(q float64) time.Duration {
	return r.latencies[min(len(r.latencies)-1, int(q*float64(len(r.latencies))))]
}

func (l load) run(ctx context.Context) (result, error) {
	var next atomic.Int64
	var mu sync.Mutex
	var all []time.Duration
	var errs error
	var wg sync.WaitGroup
	begin := time.Now()
	for range l.conns {
		wg.Go(func() {
			lat, err := l.connection(ctx, &next)
			mu.Lock()
			defer mu.Unlock()
			all = append(all, lat...)
			errs = errors.Join(errs, err)
		})
	}
	wg.Wait()
	r := result{wall: time.Since(begin), latencies: all}
	slices.Sort(r.latencies)
	if errs == nil && len(all) == 0 {
		errs = errors.New("no request was answered")
	}
	return r, errs
}

func (l load) connection(ctx context.Context, next *atomic.Int64) ([]time.Duration, error) {
	c, err := net.Dial("tcp", l.addr)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	in := bufio.NewReaderSize(c, 64<<10)
	var out bytes.Buffer
	var lat []time.Duration
	due := time.Now()
	for ctx.Err() == nil {
		n := int(next.Add(1)) - 1
		if n >= l.requests {
			break
		}
		if l.every > 0 {
			due = due.Add(l.every)
			time.Sleep(time.Until(due))
		}
		body := l.body(n)
		out.Reset()
		fmt.Fprintf(&out, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", l.path, l.addr, len(body))
		out.Write(body)
		start := time.Now()
		if _, err := c.Write(out.Bytes()); err != nil {
			return lat, err
		}
		answer, err := readAnswer(in)
		if err != nil {
			return lat, err
		}
		lat = append(lat, time.Since(start))
		if l.check != nil && n%1000 == 0 {
			if err := l.check(answer); err != nil {
				return lat, err
			}
		}
	}
	return lat, nil
}

var lengthHeader = []byte("Content-Length: ")

func readAnswer(in *bufio.Reader) ([]byte, error) {
	status, err := in.ReadSlice('\n')
	if err != nil {
		return nil, err
	}
	if !bytes.HasPrefix(status, []byte("HTTP/1.1 200")) {
		return nil, fmt.Errorf("answered %q", status)
	}
	length := -1
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return nil, err
		}
		if len(line) <= 2 {
			break
		}
		if v, ok := bytes.CutPrefix(line, lengthHeader); ok {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(v))); err != nil {
				return nil, err
			}
		}
	}
	if length < 0 {
		return nil, errors.New("an answer without Content-Length")
	}
	body := make([]byte, length)
	_, err = io.ReadFull(in, body)
	return body, err
}
