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
//	the load       is a client with a model of what it has set               load.go
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"

	"github.com/dustin/go-humanize"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/tests/realworld/serving"
)

func main() { serving.Main("cache", serve, load) }

// serve serves until the context ends.
func serve(ctx context.Context, out io.Writer, arguments []string) error {
	flags := flag.NewFlagSet("cache", flag.ContinueOnError)
	server := serving.New("cache", flags, "memcached's protocol", "127.0.0.1:11211")
	memory := flags.String("memory", "64MiB", "how much the entries may take: a `size`")
	shards := flags.Int("shards", 16, "how many parts the index has, each with a lock of its own")
	largest := flags.String("largest", "1MiB", "the largest value that is taken: a `size`")
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
	if err := server.Watch(); err != nil {
		return err
	}
	c := newCache(heap, *shards)
	err = server.Serve(ctx, out, func(conn net.Conn) { newConnection(c, conn, int(most)).serve() })
	return errors.Join(err, c.clear(), heap.Close(), server.Stop())
}
