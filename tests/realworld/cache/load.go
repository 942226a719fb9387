package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"
)

// load has several clients use a server, each with keys of its own, and verifies that every value is the one that was set.
func load(ctx context.Context, out io.Writer, arguments []string) error {
	flags := flag.NewFlagSet("cache load", flag.ContinueOnError)
	address := flags.String("address", "127.0.0.1:11211", "the server's `address`")
	clients := flags.Int("clients", 4, "how many clients there are")
	operations := flags.Int("operations", 20_000, "how much they do, together")
	seed := flags.Uint64("seed", 1, "what they do: the same with the same seed, and with another one under other keys")
	broken := flags.Int("broken", 50, "one of so many sets has a value that is longer than it says; 0: none")
	slow := flags.Bool("slow", false, "a further client asks for a value first, and reads it last, when it has long been replaced")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	if flags.NArg() > 0 || *clients < 1 || *operations < 0 {
		return errors.New("cache load takes flags only, and at least one client; cache load -help lists them")
	}
	start := time.Now()
	var straggler *client
	if *slow {
		var err error
		if straggler, err = dawdle(ctx, *address); err != nil {
			return understood(err)
		}
		defer straggler.conn.Close()
	}
	all := make([]*client, *clients)
	errs := make([]error, *clients)
	var group sync.WaitGroup
	for i := range all {
		group.Go(func() {
			all[i], errs[i] = dial(ctx, *address)
			if errs[i] != nil {
				return
			}
			defer all[i].conn.Close()
			all[i].broken = *broken
			all[i].name = fmt.Sprintf("load%d.client%d", *seed, i)
			all[i].random = rand.New(rand.NewPCG(*seed, uint64(i)))
			errs[i] = all[i].work(*operations / *clients)
		})
	}
	group.Wait()
	if straggler != nil {
		errs = append(errs, straggler.readSlowValue())
	}
	if err := errors.Join(errs...); err != nil {
		return understood(err)
	}
	var sum figures
	for _, c := range all {
		sum.add(c.figures)
	}
	fmt.Fprintf(out, "%s did %s operations in %v: %s sets, %s refused, %s gets, %s of them hits\n", english.Plural(*clients, "client", ""), humanize.Comma(int64(*operations)), time.Since(start).Round(time.Millisecond),
		humanize.Comma(sum.sets), humanize.Comma(sum.refused), humanize.Comma(sum.gets), humanize.Comma(sum.hits))
	fmt.Fprintln(out, "every value was the one that had been set")
	return nil
}

// understood says in a line what a connection's end means.
func understood(err error) error {
	for _, end := range []error{io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, syscall.EPIPE} {
		if errors.Is(err, end) {
			return errors.New("the server has hung up")
		}
	}
	return err
}

// figures are what a client has done.
type figures struct{ sets, refused, gets, hits int64 }

func (f *figures) add(more figures) {
	f.sets += more.sets
	f.refused += more.refused
	f.gets += more.gets
	f.hits += more.hits
}

// client is a connection and the model of what the server may answer.
type client struct {
	conn   net.Conn
	in     *bufio.Reader
	random *rand.Rand
	name   string // how its keys begin
	broken int
	set    map[string][]byte
	first  string // of an answer that is being read slowly
	figures
}

func dial(ctx context.Context, address string) (*client, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() { conn.Close() })
	return &client{conn: conn, in: bufio.NewReader(conn), set: map[string][]byte{}}, nil
}

const keysPerClient = 2000

func (c *client) work(operations int) error {
	for range operations {
		key := fmt.Sprintf("%s:%d", c.name, c.random.IntN(keysPerClient))
		var err error
		switch n := c.random.IntN(100); {
		case n < 55:
			err = c.get(key)
		case n < 95:
			err = c.put(key)
		default:
			err = c.delete(key)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
	}
	return nil
}

// sizes are those of values: most are small.
func (c *client) size() int {
	switch n := c.random.IntN(100); {
	case n < 80:
		return c.random.IntN(500)
	case n < 99:
		return c.random.IntN(8 << 10)
	}
	return c.random.IntN(100 << 10)
}

// put sets a key, or tries to with a value that is longer than it says.
func (c *client) put(key string) error {
	value := make([]byte, c.size())
	for i := range value {
		value[i] = byte('a' + c.random.IntN(26))
	}
	if c.broken > 0 && c.random.IntN(c.broken) == 0 {
		c.refused++
		answer, err := c.ask(fmt.Sprintf("set %s 0 0 %d\r\n%sx\r\n", key, len(value), value))
		return expect(answer, err, "CLIENT_ERROR bad data chunk")
	}
	c.sets++
	answer, err := c.ask(fmt.Sprintf("set %s %d 0 %d\r\n%s\r\n", key, len(value), len(value), value))
	c.set[key] = value
	return expect(answer, err, "STORED")
}

func (c *client) get(key string) error {
	c.gets++
	answer, err := c.ask("get " + key + "\r\n")
	if err != nil || answer == "END" {
		return err // it may have been evicted
	}
	c.hits++
	return c.readValue(key, answer, c.set[key])
}

// readValue reads what follows a first line of an answer, and compares it.
func (c *client) readValue(key, first string, want []byte) error {
	words := strings.Fields(first)
	if len(words) != 4 || words[0] != "VALUE" || words[1] != key || words[2] != words[3] {
		return fmt.Errorf("the server says %q", first)
	}
	n, err := strconv.Atoi(words[3])
	if err != nil {
		return err
	}
	value := make([]byte, n+len(crlf))
	if _, err := io.ReadFull(c.in, value); err != nil {
		return err
	}
	if value, ok := bytes.CutSuffix(value, []byte(crlf)); !ok || want == nil || !bytes.Equal(value, want) {
		return fmt.Errorf("the server has a value of %d bytes that was never set, or not last: %.20q", n, value)
	}
	line, err := c.line()
	return expect(line, err, "END")
}

func (c *client) delete(key string) error {
	answer, err := c.ask("delete " + key + "\r\n")
	if err == nil && answer != "DELETED" && answer != "NOT_FOUND" {
		err = fmt.Errorf("the server says %q", answer)
	}
	delete(c.set, key)
	return err
}

func (c *client) ask(text string) (string, error) {
	if _, err := io.WriteString(c.conn, text); err != nil {
		return "", err
	}
	return c.line()
}

func (c *client) line() (string, error) {
	line, err := c.in.ReadString('\n')
	return strings.TrimSuffix(line, crlf), err
}

func expect(answer string, err error, want string) error {
	if err == nil && answer != want {
		err = fmt.Errorf("the server says %q, not %q", answer, want)
	}
	return err
}

const (
	slowKey        = "slow"
	slowValueBytes = 512 << 10 // more than the kernel keeps for a client
)

func slowValue() []byte { return bytes.Repeat([]byte("slow "), slowValueBytes/5) }

// dawdle sets a large value, asks for it, and reads the answer's first line; then another client sets another value.
func dawdle(ctx context.Context, address string) (*client, error) {
	c, err := dial(ctx, address)
	if err != nil {
		return nil, err
	}
	value := slowValue()
	answer, err := c.ask(fmt.Sprintf("set %s %d 0 %d\r\n%s\r\n", slowKey, len(value), len(value), value))
	if err := expect(answer, err, "STORED"); err != nil {
		return nil, err
	}
	if c.first, err = c.ask("get " + slowKey + "\r\n"); err != nil {
		return nil, err
	}
	other, err := dial(ctx, address)
	if err != nil {
		return nil, err
	}
	defer other.conn.Close()
	answer, err = other.ask("set " + slowKey + " 0 0 5\r\nother\r\n")
	return c, expect(answer, err, "STORED")
}

// readSlowValue reads the rest.
func (c *client) readSlowValue() error {
	if err := c.readValue(slowKey, c.first, slowValue()); err != nil {
		return fmt.Errorf("%s: %w", slowKey, err)
	}
	return nil
}
