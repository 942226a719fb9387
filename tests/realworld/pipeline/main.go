// Command pipeline makes Parquet files of CSV files, by Apache Arrow, whose memory lies off Go's heap.
//
//	cd tests/realworld/pipeline
//	go run . convert IN.csv OUT.parquet     one file
//	go run .                                serves: POST a CSV to /convert, and the answer is the Parquet file
//	go run . load                           loads a server, and verifies every value of every answer
//
// The types of the columns are guessed from the first rows; rows may be filtered, and columns derived, in between. Both files are
// streamed: what is in memory is a batch of rows in its stages, and a row group of the Parquet file. When a request needs more than
// -memory has left, it is answered with status 503, and all that it had is given back.
//
//	a parameter     is a word of the query, or a flag of convert               parameters.go
//	a kind          is a type that a column can have, and how it is guessed    kind.go
//	the source      makes record batches of a CSV                              source.go
//	the origin      is a column whose buffers are laid out by hand             origin.go
//	computing       derives columns, and filters rows                          compute.go
//	a conversion    takes each batch through all of them to the writer         conversion.go
//	its memory      is the heap's; at the limit it goes on for a step          memory.go
//	the server      answers requests, and comes to an end                      server.go, answer.go
//	the command     converts a file                                            command.go
//	the load        is clients that compare answers with their model           load.go, model.go
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/dustin/go-humanize"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/allocator/layout"
)

func main() {
	run, arguments := serve, os.Args[1:]
	if len(arguments) > 0 {
		switch arguments[0] {
		case "load":
			run, arguments = load, arguments[1:]
		case "convert":
			run, arguments = convertFile, arguments[1:]
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	switch err := run(ctx, os.Stdout, arguments); {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "pipeline:", err)
		os.Exit(1)
	}
}

// heapFlags are the flags of what has a heap.
type heapFlags struct{ memory, directory *string }

func newHeapFlags(flags *flag.FlagSet) heapFlags {
	return heapFlags{
		memory:    flags.String("memory", "256MiB", "how much Arrow's buffers may take: a `size`"),
		directory: flags.String("postmortems", "", "the `directory` for post-mortems; empty: the recorder's own"),
	}
}

// open makes the heap. Stacks of Arrow are deep.
func (f heapFlags) open() (*allocator.Heap, error) {
	limit, err := humanize.ParseBytes(*f.memory)
	if err != nil {
		return nil, fmt.Errorf("-memory: %w", err)
	}
	return allocator.New(allocator.Options{Name: "pipeline", LimitBytes: int64(limit), StackDepth: layout.MaxStackDepth})
}
