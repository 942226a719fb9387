package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// source makes record batches of a CSV. (The reader of arrow/csv panics on a timestamp that is none.)
type source struct {
	lines   *csv.Reader
	header  []string
	kinds   []kind
	sampled [][]string // what the kinds were guessed from, and is yet to be read
	places  []int      // the lines of these
	builder *array.RecordBuilder
	from    []int // the lines that the batch's rows are from
}

var (
	errBadCSV = errors.New("bad CSV")                   // the sender's mistake
	errGone   = errors.New("the other end has hung up") // the connection's, or the disk's
)

// newSource reads the header and as many lines as the kinds are guessed from.
func newSource(in io.Reader, mem memory.Allocator, p parameters) (*source, error) {
	s := &source{lines: csv.NewReader(in)}
	s.lines.ReuseRecord = true
	header, err := s.lines.Read()
	if err == io.EOF {
		return nil, fmt.Errorf("%w: there is no header", errBadCSV)
	}
	if err != nil {
		return nil, badCSV(err)
	}
	s.header = slices.Clone(header)
	if sorted := slices.Sorted(slices.Values(s.header)); len(slices.Compact(sorted)) < len(s.header) {
		return nil, fmt.Errorf("%w: two columns have the same name", errBadCSV)
	}
	for range p.sample {
		line, err := s.lines.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, badCSV(err)
		}
		s.sampled = append(s.sampled, slices.Clone(line))
		s.places = append(s.places, s.line())
	}
	fields := make([]arrow.Field, len(s.header))
	for i, name := range s.header {
		k, known := p.schema[name]
		if !known {
			k = guess(func(yield func(string) bool) {
				for _, line := range s.sampled {
					if !yield(line[i]) {
						return
					}
				}
			})
		}
		s.kinds = append(s.kinds, k)
		fields[i] = arrow.Field{Name: name, Type: k.arrow, Nullable: true}
	}
	for name := range p.schema {
		if !slices.Contains(s.header, name) {
			return nil, fmt.Errorf("%w: there is no column %q, which the schema has", errBadCSV, name)
		}
	}
	s.builder = array.NewRecordBuilder(mem, arrow.NewSchema(fields, nil))
	return s, nil
}

// badCSV says whose mistake an error is: the sender's, or the connection's.
func badCSV(err error) error {
	if bad := (*csv.ParseError)(nil); errors.As(err, &bad) {
		return fmt.Errorf("%w: %w", errBadCSV, err)
	}
	return fmt.Errorf("%w: %w", errGone, err)
}

// line is where the last record began.
func (s *source) line() int {
	line, _ := s.lines.FieldPos(0)
	return line
}

// next is the next record, and its line. It is valid until the next call.
func (s *source) next() (record []string, line int, err error) {
	if len(s.sampled) > 0 {
		record, line = s.sampled[0], s.places[0]
		s.sampled, s.places = s.sampled[1:], s.places[1:]
		return record, line, nil
	}
	record, err = s.lines.Read()
	if err != nil {
		return nil, 0, err
	}
	return record, s.line(), nil
}

// read makes a batch of some rows: the caller releases it. The error is io.EOF at the end, when there is no row. full tells that
// there is no memory for another one.
func (s *source) read(rows int, full func() error) (arrow.RecordBatch, error) {
	s.from = s.from[:0]
	for len(s.from) < rows {
		record, line, err := s.next()
		if err == io.EOF && len(s.from) > 0 {
			break
		}
		if err == io.EOF {
			return nil, err
		}
		if err != nil {
			return nil, badCSV(err)
		}
		for i, text := range record {
			if field := s.builder.Field(i); isNull(text) {
				field.AppendNull()
			} else if !s.kinds[i].read(text, field) {
				return nil, fmt.Errorf("%w: line %d, column %q: %q is no %s, which the column is", errBadCSV, line, s.header[i], text, s.kinds[i].name)
			}
		}
		s.from = append(s.from, line)
		if err := full(); err != nil {
			return nil, err
		}
	}
	return s.builder.NewRecordBatch(), nil
}

// release gives back what is half read.
func (s *source) release() { s.builder.Release() }
