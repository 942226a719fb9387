package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/compute"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/allocator/arrow"
)

// figures are what a conversion did.
type figures struct{ read, written int64 } // rows

// convert makes a Parquet file of a CSV. Whatever comes of it, all of its memory is given back.
func convert(ctx context.Context, mem *glassheaparrow.Allocator, in io.Reader, out io.Writer, p parameters) (figures, error) {
	c := newConversion(ctx, mem, out, p)
	err := c.run(in)
	// Arrow's writers recover from panics and return what they were told as errors; a violation must not become a bad request.
	if v := (*allocator.Violation)(nil); errors.As(err, &v) {
		panic(v)
	}
	return c.figures, err
}

// conversion is one that is under way.
type conversion struct {
	parameters
	figures
	ctx, computing context.Context
	mem            *requestMemory
	out            *sink
	writer         *pqarrow.FileWriter // nil until there is a batch: that has the schema
}

func newConversion(ctx context.Context, mem *glassheaparrow.Allocator, out io.Writer, p parameters) *conversion {
	c := &conversion{ctx: ctx, mem: &requestMemory{heap: mem}, out: &sink{out: out}, parameters: p}
	// Computing is not to be cut short: Arrow would keep what it has half computed. Between its steps the context is asked.
	c.computing = compute.WithAllocator(context.WithoutCancel(ctx), c.mem)
	return c
}

func (c *conversion) run(in io.Reader) (err error) {
	s, err := newSource(in, c.mem, c.parameters)
	if err != nil {
		return err
	}
	defer s.release()
	defer func() { err = errors.Join(err, c.end(err)) }()
	for first := true; ; first = false {
		batch, err := s.read(c.batch, c.mem.err)
		if err == io.EOF {
			if !first {
				return nil
			}
			batch = s.builder.NewRecordBatch() // of no rows: the file is to have columns
		} else if err != nil {
			return err
		}
		c.read += batch.NumRows()
		if err := c.pass(batch, s.from); err != nil {
			return err
		}
	}
}

// pass takes a batch through all stages, and writes what is left of it.
func (c *conversion) pass(batch arrow.RecordBatch, lines []int) (err error) {
	defer func() { batch.Release() }()
	stage := func(made arrow.RecordBatch, err error) error {
		if err != nil {
			return err
		}
		batch.Release()
		batch = made
		return c.stopped()
	}
	if c.origin != "" {
		if err := stage(withColumn(batch, c.origin, originColumn(c.mem, c.name, lines)), nil); err != nil {
			return err
		}
	}
	for _, f := range c.derive {
		if err := stage(derive(c.computing, batch, f)); err != nil {
			return err
		}
	}
	for _, w := range c.where {
		if err := stage(keep(c.computing, batch, w)); err != nil {
			return err
		}
	}
	return c.write(batch)
}

// stopped is why no further step is to be made: there is no memory, nobody waits for the file, or it can't be written.
func (c *conversion) stopped() error {
	return errors.Join(c.mem.err(), c.ctx.Err(), c.out.err)
}

func (c *conversion) write(batch arrow.RecordBatch) error {
	if c.writer == nil {
		writer, err := pqarrow.NewFileWriter(batch.Schema(), c.out,
			parquet.NewWriterProperties(parquet.WithAllocator(c.mem), parquet.WithCompression(codecs[c.compression]), parquet.WithMaxRowGroupLength(int64(c.rowGroup))),
			pqarrow.NewArrowWriterProperties(pqarrow.WithAllocator(c.mem), pqarrow.WithStoreSchema()))
		if err != nil {
			return err
		}
		c.writer = writer
	}
	if err := c.writer.WriteBuffered(batch); err != nil {
		return err
	}
	c.written += batch.NumRows()
	return c.stopped()
}

// end ends the file. After an error it is no file, and what its writer holds is given back.
func (c *conversion) end(failed error) error {
	if c.writer == nil {
		return nil
	}
	if failed != nil {
		c.out.discard()
		_ = c.writer.Close() // failed says more
		return nil
	}
	return errors.Join(c.writer.Close(), c.stopped())
}

// sink is where the Parquet file goes. It never fails to take it: Arrow's writers keep their memory when they can't write.
type sink struct {
	out io.Writer
	err error // the first
}

// Write writes, until that fails once.
func (s *sink) Write(b []byte) (int, error) {
	if s.err == nil {
		if _, err := s.out.Write(b); err != nil {
			s.err = fmt.Errorf("%w: %w", errGone, err)
		}
	}
	return len(b), nil
}

// discard lets nothing through any more.
func (s *sink) discard() { s.out = io.Discard }
