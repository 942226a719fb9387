// Command store is a key-value store on disk whose memory lies off Go's heap: a log-structured merge tree. It speaks the protocol of
// Redis (RESP2), as far as GET, SET, DEL, PING, INFO, SAVE and QUIT; RANGE FROM TO has the keys from FROM to before TO, and their values.
//
//	go run ./tests/realworld/store            serves
//	go run ./tests/realworld/store load       loads a server, and verifies every answer
//
// A write that was acknowledged is in the log: the program may be killed at any time. With -sync the machine may, too. Whoever reads
// has the store as it was when the command came, whatever is flushed and merged meanwhile.
//
//	a record       looks the same in the log and in segments                  record.go
//	the memtable   is a skip list off-heap: what was written last             memtable.go
//	the log        has the same, in a file                                    log.go
//	a segment      is a sorted file with an index off-heap                    segment.go, segment_writer.go
//	a filter       tells which keys a segment does not have                   filter.go
//	a merge        walks over several of them at a time                       merge.go
//	a version      is what the store consists of, as long as someone reads it version.go
//	the store      writes, flushes and merges                                 store.go
//	recovery       is what opening it is                                      recovery.go
//	connections    read commands and answer them                              connection.go
//	the load       is a client with a model of what it has set                load.go, client.go
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

func main() { serving.Main("store", serve, load) }

// serve serves until the context ends.
func serve(ctx context.Context, out io.Writer, arguments []string) error {
	flags := flag.NewFlagSet("store", flag.ContinueOnError)
	server := serving.New("store", flags, "Redis's protocol", "127.0.0.1:6379")
	directory := flags.String("directory", "store-data", "the `directory` of the logs and segments")
	memory := flags.String("memory", "64MiB", "how much may lie off-heap: a `size`")
	memtable := flags.String("memtable", "4MiB", "how much is written before it becomes a segment: a `size`")
	largest := flags.String("largest", "1MiB", "the largest value that is taken: a `size`")
	sync := flags.Bool("sync", false, "answer a write when it is on the disk, so that it survives the machine's end, too")
	apart := flags.Bool("apart", false, "each entry of a memtable is a block of its own, which the heap watches over: for the search of an error")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("%q is no flag; store -help lists them", flags.Arg(0))
	}
	sizes := map[string]uint64{}
	for name, text := range map[string]string{"memory": *memory, "memtable": *memtable, "largest": *largest} {
		n, err := humanize.ParseBytes(text)
		if err != nil {
			return fmt.Errorf("-%s: %w", name, err)
		}
		sizes[name] = n
	}
	switch {
	case sizes["largest"] > mostBytes/2:
		return fmt.Errorf("-largest is %s: at most 512 MiB", *largest)
	case sizes["memory"] < 4*(sizes["memtable"]+sizes["largest"]):
		return fmt.Errorf("-memory is %s: it must be 4 times -memtable and -largest together, at least", *memory)
	}

	heap, err := allocator.New(allocator.Options{Name: "store", LimitBytes: int64(sizes["memory"])})
	if err != nil {
		return err
	}
	if err := server.Watch(); err != nil {
		return err
	}
	s, err := openStore(heap, *directory, options{memtableBytes: int(sizes["memtable"]), sync: *sync, apart: *apart})
	if err != nil {
		return errors.Join(err, heap.Close(), server.Stop())
	}
	err = server.Serve(ctx, out, func(conn net.Conn) { _ = newConnection(s, conn, int(sizes["largest"])).serve() })
	return errors.Join(err, s.close(), heap.Close(), server.Stop())
}
