// Command cache is a cache server whose keys and values lie off Go's heap. It speaks the text protocol of memcached, as far as
// get, set, delete, stats, version and quit; an expiry time other than 0 is refused.
//
//	go run ./tests/realworld/cache            serves
//	go run ./tests/realworld/cache load       loads a server, and verifies every answer
//
// When the memory of -memory is in use, what was not asked for longest makes room. An entry that is evicted, replaced or deleted
// while it is sent to a client stays until it has been sent.
//
//	an entry       is one off-heap block: header, value, key                 entry.go
//	a shard        finds entries by their keys' hashes, the oldest last      shard.go
//	the cache      makes room when the heap is at its limit                  cache.go
//	connections    read commands and answer them                             connection.go
//	the server     accepts connections and comes to an end                   server.go
//	the load       is a client with a model of what it has set               load.go
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
	"os/signal"
	"syscall"

	"github.com/dustin/go-humanize"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/glassheaphttp"
	"github.com/glassheap/glassheap/recorder"
	"github.com/glassheap/glassheap/tests/tutorial/onlookers"
)

func main() {
	run, arguments := serve, os.Args[1:]
	if len(arguments) > 0 && arguments[0] == "load" {
		run, arguments = load, arguments[1:]
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	switch err := run(ctx, os.Stdout, arguments); {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "cache:", err)
		os.Exit(1)
	}
}

// serve serves until the context ends.
func serve(ctx context.Context, out io.Writer, arguments []string) error {
	flags := flag.NewFlagSet("cache", flag.ContinueOnError)
	listen := flags.String("listen", "127.0.0.1:11211", "the `address` to serve memcached's protocol at; port 0 is one that is free")
	debug := flags.String("debug", "127.0.0.1:6060", "the `address` to answer questions about the heap at; empty: none")
	memory := flags.String("memory", "64MiB", "how much the entries may take: a `size`")
	shards := flags.Int("shards", 16, "how many parts the index has, each with a lock of its own")
	largest := flags.String("largest", "1MiB", "the largest value that is taken: a `size`")
	directory := flags.String("postmortems", "", "the `directory` for post-mortems; empty: the recorder's own")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	limit, err := humanize.ParseBytes(*memory)
	if err != nil {
		return fmt.Errorf("-memory: %w", err)
	}
	most, err := humanize.ParseBytes(*largest)
	if err != nil {
		return fmt.Errorf("-largest: %w", err)
	}
	switch {
	case flags.NArg() > 0:
		return fmt.Errorf("%q is no flag; cache -help lists them", flags.Arg(0))
	case *shards < 1:
		return fmt.Errorf("-shards is %d: there must be one at least", *shards)
	case most > 1<<30:
		return fmt.Errorf("-largest is %s: at most 1 GiB", *largest)
	}

	heap, err := allocator.New(allocator.Options{Name: "cache", LimitBytes: int64(limit)})
	if err != nil {
		return err
	}
	box, err := recorder.Start(recorder.Options{Directory: *directory})
	if err != nil {
		return err
	}
	onlookers.LetTrace()

	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "cache: process %d serves at %s\n", os.Getpid(), listener.Addr())
	if *debug != "" {
		questions, err := net.Listen("tcp", *debug)
		if err != nil {
			return err
		}
		defer questions.Close()
		mux := http.NewServeMux()
		mux.Handle("/debug/glassheap/", http.StripPrefix("/debug/glassheap", glassheaphttp.Handler()))
		go func() { _ = http.Serve(questions, mux) }() // until it is closed
		fmt.Fprintf(out, "cache: questions at http://%s/debug/glassheap/\n", questions.Addr())
	}

	c := newCache(heap, *shards)
	s := server{cache: c, largest: int(most)}
	err = s.serve(ctx, listener)
	return errors.Join(err, c.clear(), heap.Close(), box.Stop())
}
