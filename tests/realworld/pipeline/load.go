package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing/iotest"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"
)

// load has several clients use a server, and compares every value of every answer.
func load(ctx context.Context, out io.Writer, arguments []string) error {
	flags := flag.NewFlagSet("pipeline load", flag.ContinueOnError)
	address := flags.String("address", "127.0.0.1:8080", "the server's `address`")
	clients := flags.Int("clients", 4, "how many clients there are")
	files := flags.Int("files", 100, "how many files they send, together")
	most := flags.Int("rows", 5000, "how many `rows` a file has at most")
	seed := flags.Uint64("seed", 1, "what is in them: the same with the same seed")
	broken := flags.Int("broken", 10, "one of so many files is broken in the middle; 0: none")
	hangUp := flags.Int("hangup", 10, "with one of so many files the client hangs up in the middle; 0: never")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	if flags.NArg() > 0 || *clients < 1 || *files < 0 {
		return errors.New("pipeline load takes flags only, and at least one client; pipeline load -help lists them")
	}
	start := time.Now()
	all := make([]*client, *clients)
	errs := make([]error, *clients)
	var group sync.WaitGroup
	for i := range all {
		c := &client{address: *address, rows: *most, broken: *broken, hangUp: *hangUp, random: rand.New(rand.NewPCG(*seed, uint64(i)))}
		all[i] = c
		group.Go(func() {
			for n := i; n < *files && errs[i] == nil && ctx.Err() == nil; n += *clients {
				if err := c.send(ctx); err != nil {
					errs[i] = fmt.Errorf("file %d: %w", n, understood(err))
				}
			}
		})
	}
	group.Wait()
	if err := errors.Join(append(errs, ctx.Err())...); err != nil {
		return err
	}
	var sum sent
	for _, c := range all {
		sum.add(c.sent)
	}
	fmt.Fprintf(out, "%s sent %s in %v: %s came back with %s rows, %s broken, %s cut off, %s given up, %s refused for want of memory\n",
		english.Plural(*clients, "client", ""), english.Plural(*files, "file", ""), time.Since(start).Round(time.Millisecond),
		humanize.Comma(sum.files), humanize.Comma(sum.rows), humanize.Comma(sum.broken), humanize.Comma(sum.cut), humanize.Comma(sum.hungUp), humanize.Comma(sum.refused))
	fmt.Fprintln(out, "every value was the one that had been sent, or what the formula makes of it")
	return nil
}

// understood says in a line what a connection's end means.
func understood(err error) error {
	for _, end := range []error{io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, syscall.EPIPE, syscall.ECONNREFUSED} {
		if errors.Is(err, end) {
			return errors.New("the server has hung up")
		}
	}
	return err
}

// sent is what a client has done.
type sent struct{ files, rows, broken, cut, hungUp, refused int64 }

func (s *sent) add(more sent) {
	s.files += more.files
	s.rows += more.rows
	s.broken += more.broken
	s.cut += more.cut
	s.hungUp += more.hungUp
	s.refused += more.refused
}

type client struct {
	address              string
	rows, broken, hangUp int
	random               *rand.Rand
	sent
}

func (c *client) oneOf(n int) bool { return n > 0 && c.random.IntN(n) == 0 }

var errHungUp = errors.New("the client hangs up")

// send sends one file.
func (c *client) send(ctx context.Context) error {
	m := newModel(c.random, c.rows, c.oneOf(c.broken))
	var body io.Reader = struct{ io.Reader }{&m.csv} // of unknown length: it is streamed
	gone := c.oneOf(c.hangUp)
	if gone {
		body = io.MultiReader(io.LimitReader(&m.csv, int64(m.csv.Len()/2)), iotest.ErrReader(errHungUp))
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+c.address+"/convert?"+m.query.Encode(), body)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if gone && (err == nil || errors.Is(err, errHungUp)) {
		c.hungUp++
		if err == nil {
			_ = answer.Body.Close()
		}
		return nil
	}
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	got, err := io.ReadAll(answer.Body)
	switch {
	case answer.StatusCode == http.StatusServiceUnavailable:
		c.refused++
		return expect(string(got), "the heap is at its limit")
	case answer.StatusCode == http.StatusOK && err != nil: // something broke when a part was on its way
		c.cut++
		return c.alive(ctx)
	case m.broken == "":
	case answer.StatusCode == http.StatusBadRequest && err == nil:
		c.sent.broken++
		return expect(string(got), m.broken)
	}
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK || m.broken != "" {
		return fmt.Errorf("the server says %s: %.200q", answer.Status, got)
	}
	c.files++
	c.sent.rows += int64(len(m.want[0].values))
	return m.compare(ctx, got)
}

// alive asks the server for its figures: one that has died does not answer.
func (c *client) alive(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+c.address+"/stats", nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err == nil {
		err = answer.Body.Close()
	}
	return err
}

func expect(said, want string) error {
	if !strings.Contains(said, want) {
		return fmt.Errorf("the server says %q, and not %q", said, want)
	}
	return nil
}

// compare reads a Parquet file, with Go's allocator, and compares all of it.
func (m *model) compare(ctx context.Context, parquet []byte) error {
	raw, err := file.NewParquetReader(bytes.NewReader(parquet))
	if err != nil {
		return err
	}
	defer raw.Close()
	reader, err := pqarrow.NewFileReader(raw, pqarrow.ArrowReadProperties{}, memory.NewGoAllocator())
	if err != nil {
		return err
	}
	table, err := reader.ReadTable(ctx)
	if err != nil {
		return err
	}
	defer table.Release()
	if int(table.NumCols()) != len(m.want) {
		return fmt.Errorf("there are %d columns, not %d", table.NumCols(), len(m.want))
	}
	for i, want := range m.want {
		got := table.Column(i)
		if got.Name() != want.name || got.DataType().String() != want.kind {
			return fmt.Errorf("column %d is %s, %s, and not %s, %s", i, got.Name(), got.DataType(), want.name, want.kind)
		}
		if got.Len() != len(want.values) {
			return fmt.Errorf("column %s has %d values, not %d", want.name, got.Len(), len(want.values))
		}
		n := 0
		for _, chunk := range got.Data().Chunks() {
			for j := range chunk.Len() {
				if v := valueOf(chunk, j); v != want.values[n] {
					return fmt.Errorf("column %s has %v in row %d, not %v", want.name, v, n, want.values[n])
				}
				n++
			}
		}
	}
	return nil
}

// valueOf is a value as a model has it.
func valueOf(values arrow.Array, i int) any {
	if values.IsNull(i) {
		return nil
	}
	switch values := values.(type) {
	case *array.Int64:
		return values.Value(i)
	case *array.Float64:
		return values.Value(i)
	case *array.Boolean:
		return values.Value(i)
	case *array.String:
		return values.Value(i)
	case *array.Timestamp:
		return values.Value(i).ToTime(arrow.Microsecond)
	}
	return fmt.Errorf("a %T", values)
}
