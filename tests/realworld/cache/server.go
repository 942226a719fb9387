package main

import (
	"bufio"
	"context"
	"errors"
	"net"
	"sync"
)

// server serves one cache.
type server struct {
	cache   *cache
	largest int // value, in bytes
}

// sendBuffer is how much of what a client does not read the kernel keeps for it.
const sendBuffer = 64 << 10

// serve answers each connection in a goroutine of its own, and when the context ends closes them all.
func (s *server) serve(ctx context.Context, listener net.Listener) error {
	var lock sync.Mutex
	var all sync.WaitGroup
	open := map[net.Conn]bool{}
	defer context.AfterFunc(ctx, func() {
		listener.Close()
		lock.Lock()
		defer lock.Unlock()
		for conn := range open {
			conn.Close()
		}
	})()
	defer all.Wait()
	for {
		conn, err := listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetWriteBuffer(sendBuffer) // the kernel's choice would do, too
		}
		lock.Lock()
		open[conn] = true
		late := ctx.Err() != nil
		lock.Unlock()
		if late {
			conn.Close()
		}
		all.Add(1)
		go func() {
			defer all.Done()
			(&connection{server: s, conn: conn, in: bufio.NewReader(conn)}).serve()
			lock.Lock()
			delete(open, conn)
			lock.Unlock()
		}()
	}
}
