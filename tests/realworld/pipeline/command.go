package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/glassheap/glassheap/allocator/arrow"
	"github.com/glassheap/glassheap/recorder"
)

// convertFile converts one file.
func convertFile(ctx context.Context, out io.Writer, arguments []string) (err error) {
	flags := flag.NewFlagSet("pipeline convert", flag.ContinueOnError)
	heapFlags := newHeapFlags(flags)
	p := newParameters()
	for _, word := range parameterWords {
		flags.Func(word.name, word.about, func(value string) error { return p.set(word.name, value) })
	}
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	if flags.NArg() != 2 {
		return errors.New("say pipeline convert IN.csv OUT.parquet, flags first; pipeline convert -help lists them")
	}
	from, to := flags.Arg(0), flags.Arg(1)
	if p.name == newParameters().name {
		p.name = filepath.Base(from)
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	heap, err := heapFlags.open()
	if err != nil {
		return err
	}
	box, err := recorder.Start(recorder.Options{Directory: *heapFlags.directory})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, heap.Close(), box.Stop()) }()
	// Whoever reads OUT meanwhile, or after an error, finds the file that was there, or none.
	made, err := os.CreateTemp(filepath.Dir(to), filepath.Base(to)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(made.Name())
	defer made.Close()
	start := time.Now()
	did, err := convert(ctx, glassheaparrow.New(heap), in, made, p)
	if err != nil {
		return fmt.Errorf("%s: %w", from, err)
	}
	if err := errors.Join(made.Chmod(0o644), made.Close(), os.Rename(made.Name(), to)); err != nil {
		return err
	}
	fmt.Fprintf(out, "%s: %s rows of %s in %v\n", to, humanize.Comma(did.written), humanize.Comma(did.read), time.Since(start).Round(time.Millisecond))
	return nil
}
