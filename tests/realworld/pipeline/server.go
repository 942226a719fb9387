package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/allocator/arrow"
	"github.com/glassheap/glassheap/glassheaphttp"
	"github.com/glassheap/glassheap/recorder"
	"github.com/glassheap/glassheap/tests/tutorial/onlookers"
)

// serve serves until the context ends.
func serve(ctx context.Context, out io.Writer, arguments []string) error {
	flags := flag.NewFlagSet("pipeline", flag.ContinueOnError)
	listen := flags.String("listen", "127.0.0.1:8080", "the `address` to serve HTTP at; port 0 is one that is free")
	debug := flags.String("debug", "127.0.0.1:6060", "the `address` to answer questions about the heap at; empty: none")
	heapFlags := newHeapFlags(flags)
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("%q is no flag; pipeline -help lists them", flags.Arg(0))
	}
	heap, err := heapFlags.open()
	if err != nil {
		return err
	}
	box, err := recorder.Start(recorder.Options{Directory: *heapFlags.directory})
	if err != nil {
		return err
	}
	onlookers.LetTrace()

	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "pipeline: process %d serves at %s\n", os.Getpid(), listener.Addr())
	if *debug != "" {
		questions, err := net.Listen("tcp", *debug)
		if err != nil {
			return err
		}
		defer questions.Close()
		mux := http.NewServeMux()
		mux.Handle("/debug/glassheap/", http.StripPrefix("/debug/glassheap", glassheaphttp.Handler()))
		go func() { _ = http.Serve(questions, mux) }() // until it is closed
		fmt.Fprintf(out, "pipeline: questions at http://%s/debug/glassheap/\n", questions.Addr())
	}

	s := server{heap: heap, mem: glassheaparrow.New(heap)}
	err = s.serve(ctx, listener)
	return errors.Join(err, heap.Close(), box.Stop())
}

// server answers requests with the memory of one heap.
type server struct {
	heap *allocator.Heap
	mem  *glassheaparrow.Allocator

	lock   sync.Mutex
	ending bool
	under  sync.WaitGroup // conversions; none is added once the server is ending

	now, converted, bad, full, abandoned, read, written atomic.Int64
}

// serve answers until the context ends: then all connections are closed, and the conversions come to an end.
func (s *server) serve(ctx context.Context, listener net.Listener) error {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /convert", s.convert)
	mux.HandleFunc("GET /stats", s.stats)
	answers := http.Server{Handler: mux, BaseContext: func(net.Listener) context.Context { return ctx }}
	defer context.AfterFunc(ctx, func() { answers.Close() })()
	err := answers.Serve(listener)
	s.lock.Lock()
	s.ending = true
	s.lock.Unlock()
	s.under.Wait()
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// begin reports whether there may be a further conversion, which calls s.under.Done.
func (s *server) begin() bool {
	s.lock.Lock()
	defer s.lock.Unlock()
	if !s.ending {
		s.under.Add(1)
	}
	return !s.ending
}

// convert answers a CSV with a Parquet file.
func (s *server) convert(w http.ResponseWriter, r *http.Request) {
	if !s.begin() {
		panic(http.ErrAbortHandler) // the connection is closed already
	}
	defer s.under.Done()
	s.now.Add(1)
	defer s.now.Add(-1)
	p, err := parametersOf(r.URL.Query())
	if err != nil {
		s.bad.Add(1)
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	_ = http.NewResponseController(w).EnableFullDuplex() // HTTP/2 is that anyway
	a := newAnswer(w)
	did, err := apart(func() (figures, error) { return convert(r.Context(), s.mem, r.Body, a, p) })
	s.read.Add(did.read)
	s.written.Add(did.written)
	switch none := (*noMemory)(nil); {
	case err == nil:
		s.converted.Add(1)
		a.end()
	case errors.As(err, &none):
		s.full.Add(1)
		a.fail(r, http.StatusServiceUnavailable, err)
	case r.Context().Err() != nil || errors.Is(err, errGone):
		s.abandoned.Add(1)
		a.fail(r, http.StatusBadRequest, err) // if there is anybody to read it
	default:
		s.bad.Add(1)
		a.fail(r, http.StatusBadRequest, err)
	}
}

// apart runs f in a goroutine of its own, and waits for it. A panic there is a bug, a violation say, and ends the program, which
// net/http would go on with.
func apart(f func() (figures, error)) (did figures, err error) {
	done := make(chan struct{})
	go func() {
		did, err = f()
		close(done)
	}()
	<-done
	return did, err
}

// stats tells what was counted.
func (s *server) stats(w http.ResponseWriter, _ *http.Request) {
	heap := s.heap.Stats()
	for _, figure := range []struct {
		name  string
		value any
	}{
		{"pid", os.Getpid()},
		{"under_way", s.now.Load()},
		{"converted", s.converted.Load()},
		{"bad_requests", s.bad.Load()},
		{"abandoned", s.abandoned.Load()},
		{"out_of_memory", s.full.Load()},
		{"rows_read", s.read.Load()},
		{"rows_written", s.written.Load()},
		{"limit_bytes", heap.LimitBytes},
		{"in_use_bytes", heap.InUseBytes},
		{"live_blocks", heap.LiveBlocks},
	} {
		fmt.Fprintf(w, "%s %v\n", figure.name, figure.value)
	}
}
