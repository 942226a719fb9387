// Package serving is what the servers of this folder have in common: their command lines, the recorder, the questions over HTTP, and
// the goroutine for each connection.
package serving

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/glassheap/glassheap/glassheaphttp"
	"github.com/glassheap/glassheap/recorder"
	"github.com/glassheap/glassheap/tests/tutorial/onlookers"
)

// Command is what a program does with its flags until the context ends.
type Command func(ctx context.Context, out io.Writer, arguments []string) error

// Main is the main of a program that serves, or loads a server when its first argument is load.
func Main(name string, serve, load Command) {
	run, arguments := serve, os.Args[1:]
	if len(arguments) > 0 && arguments[0] == "load" {
		run, arguments = load, arguments[1:]
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	switch err := run(ctx, os.Stdout, arguments); {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(1)
	}
}

// Server is a program that serves.
type Server struct {
	name                       string
	listen, debug, postmortems *string
	box                        *recorder.Recorder
}

// New makes a Server with the flags that all have.
func New(name string, flags *flag.FlagSet, protocol, address string) *Server {
	return &Server{
		name:        name,
		listen:      flags.String("listen", address, "the `address` to serve "+protocol+" at; port 0 is one that is free"),
		debug:       flags.String("debug", "127.0.0.1:6060", "the `address` to answer questions about the heap at; empty: none"),
		postmortems: flags.String("postmortems", "", "the `directory` for post-mortems; empty: the recorder's own"),
	}
}

// Watch starts the recorder, for the heaps that there are and will be, and lets the program be looked at from outside.
func (s *Server) Watch() error {
	box, err := recorder.Start(recorder.Options{Directory: *s.postmortems})
	if err != nil {
		return err
	}
	s.box = box
	onlookers.LetTrace()
	return nil
}

// Serve says where it serves, and answers until the context ends.
func (s *Server) Serve(ctx context.Context, out io.Writer, answer func(net.Conn)) error {
	listener, err := net.Listen("tcp", *s.listen)
	if err != nil {
		return err
	}
	defer listener.Close()
	fmt.Fprintf(out, "%s: process %d serves at %s\n", s.name, os.Getpid(), listener.Addr())
	if *s.debug != "" {
		questions, err := net.Listen("tcp", *s.debug)
		if err != nil {
			return err
		}
		defer questions.Close()
		mux := http.NewServeMux()
		mux.Handle("/debug/glassheap/", http.StripPrefix("/debug/glassheap", glassheaphttp.Handler()))
		go func() { _ = http.Serve(questions, mux) }() // until it is closed
		fmt.Fprintf(out, "%s: questions at http://%s/debug/glassheap/\n", s.name, questions.Addr())
	}
	return accept(ctx, listener, answer)
}

// Stop ends the recorder: the program comes to its end. The heaps are closed.
func (s *Server) Stop() error { return s.box.Stop() }

// sendBuffer is how much of what a client does not read the kernel keeps for it.
const sendBuffer = 64 << 10

// accept answers each connection in a goroutine of its own, and when the context ends closes them all.
func accept(ctx context.Context, listener net.Listener, answer func(net.Conn)) error {
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
			answer(conn)
			lock.Lock()
			delete(open, conn)
			lock.Unlock()
		}()
	}
}
