package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/offheap"
)

const (
	mostWords    = 1024 // of a command
	mostKeyBytes = 64 << 10
	crlf         = "\r\n"
)

// connection is one client's. It speaks RESP2, as Redis does.
type connection struct {
	store   *store
	conn    net.Conn
	in      *bufio.Reader
	out     *bufio.Writer
	scope   *offheap.Scope // what the command consists of
	largest int            // value, in bytes
}

func newConnection(s *store, conn net.Conn, largest int) *connection {
	return &connection{s, conn, bufio.NewReader(conn), bufio.NewWriter(conn), offheap.NewScope(s.heap, offheap.ChunkBytes(4<<10-8)), largest}
}

// protocolError ends the connection: what follows can't be told from commands.
type protocolError string

func (e protocolError) Error() string { return "Protocol error: " + string(e) }

var errQuit = errors.New("the client has said QUIT")

// serve answers commands until the client has gone. Errors of the connection end it, and are nobody else's business; what
// the heap says is: it panics.
func (c *connection) serve() (err error) {
	defer func() { err = errors.Join(err, c.scope.Free(), c.conn.Close()) }()
	for {
		words, err := c.read()
		var wrong protocolError
		if errors.As(err, &wrong) {
			return errors.Join(c.refuse(wrong), c.out.Flush())
		}
		if err != nil {
			return err
		}
		if len(words) > 0 {
			err = c.obey(strings.ToUpper(string(words[0])), words[1:])
		}
		if err := errors.Join(err, c.scope.Reset()); err != nil {
			return errors.Join(err, c.out.Flush())
		}
		if c.in.Buffered() == 0 {
			if err := c.out.Flush(); err != nil {
				return err
			}
		}
	}
}

// line reads a line; what is returned is valid until the next read.
func (c *connection) line() ([]byte, error) {
	line, err := c.in.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		err = protocolError("too big inline request")
	}
	return bytes.TrimRight(line, crlf), err
}

// read reads a command: an array of strings, or words on a line. They lie in the scope.
func (c *connection) read() (words [][]byte, err error) {
	line, err := c.line()
	if err != nil {
		return nil, err
	}
	if len(line) == 0 || line[0] != '*' {
		for _, word := range bytes.Fields(line) {
			kept, err := c.scope.Copy(word)
			if err != nil {
				return nil, err
			}
			words = append(words, kept)
		}
		return words, nil
	}
	n, err := strconv.Atoi(string(line[1:]))
	if err != nil || n > mostWords {
		return nil, protocolError("invalid multibulk length")
	}
	for range n {
		word, err := c.word()
		if err != nil {
			return nil, err
		}
		words = append(words, word)
	}
	return words, nil
}

// word reads a string to where it is to lie.
func (c *connection) word() ([]byte, error) {
	line, err := c.line()
	if err != nil {
		return nil, err
	}
	if len(line) == 0 || line[0] != '$' {
		return nil, protocolError("expected '$'")
	}
	n, err := strconv.Atoi(string(line[1:]))
	if err != nil || n < 0 || n > c.largest {
		return nil, protocolError("invalid bulk length")
	}
	word, err := c.scope.Alloc(n)
	if err != nil {
		return nil, protocolError(err.Error())
	}
	if _, err := io.ReadFull(c.in, word); err != nil {
		return nil, err
	}
	end, err := c.line()
	if err == nil && len(end) > 0 {
		err = protocolError("a string does not end where its length says")
	}
	return word, err
}

// commands are what is understood, with the least and the most words that follow.
var commands = map[string]struct {
	least, most int
	do          func(c *connection, words [][]byte) error
}{
	"PING":    {0, 0, func(c *connection, _ [][]byte) error { return c.say("+PONG") }},
	"GET":     {1, 1, (*connection).get},
	"SET":     {2, 2, (*connection).set},
	"DEL":     {1, mostWords, (*connection).remove},
	"RANGE":   {2, 2, (*connection).span},
	"SAVE":    {0, 0, (*connection).save},
	"INFO":    {0, 1, (*connection).info},
	"COMMAND": {0, mostWords, func(c *connection, _ [][]byte) error { return c.say("*0") }}, // redis-cli asks as it starts
	"QUIT":    {0, 0, func(c *connection, _ [][]byte) error { return errors.Join(c.say("+OK"), errQuit) }},
}

func (c *connection) obey(name string, words [][]byte) error {
	command, ok := commands[name]
	if !ok {
		return c.say("-ERR unknown command")
	}
	if len(words) < command.least || len(words) > command.most {
		return c.say("-ERR wrong number of arguments for '" + strings.ToLower(name) + "' command")
	}
	keys := words
	if name == "SET" {
		keys = words[:1]
	}
	for _, key := range keys {
		if len(key) > mostKeyBytes {
			return c.say("-ERR the key is too long")
		}
	}
	return command.do(c, words)
}

func (c *connection) say(line string) error {
	_, err := c.out.WriteString(line + crlf)
	return err
}

// refuse says what went wrong. A violation of the heap's rules is not the client's business: it ends the connection.
func (c *connection) refuse(err error) error {
	var violation *allocator.Violation
	if errors.As(err, &violation) {
		return err
	}
	code := "ERR"
	var full *allocator.LimitError
	if errors.As(err, &full) {
		code = "OOM"
	}
	return c.say("-" + code + " " + strings.ReplaceAll(err.Error(), "\n", "; "))
}

// send sends a string from where it lies.
func (c *connection) send(text []byte) error {
	if err := c.say("$" + strconv.Itoa(len(text))); err != nil {
		return err
	}
	if _, err := c.out.Write(text); err != nil {
		return err
	}
	return c.say("")
}

func (c *connection) get(words [][]byte) (err error) {
	now := c.store.snapshot()
	defer func() { err = errors.Join(err, now.release()) }()
	f, ok, err := now.get(words[0])
	switch {
	case err != nil:
		return c.refuse(err)
	case !ok:
		return c.say("$-1")
	}
	return errors.Join(c.send(f.value), f.free())
}

func (c *connection) set(words [][]byte) error {
	if err := c.store.set(record{key: words[0], value: words[1]}); err != nil {
		return c.refuse(err)
	}
	return c.say("+OK")
}

func (c *connection) remove(words [][]byte) error {
	n := 0
	for _, key := range words {
		ok, err := c.store.remove(key)
		if err != nil {
			return c.refuse(err)
		}
		if ok {
			n++
		}
	}
	return c.say(":" + strconv.Itoa(n))
}

// span sends the keys from one on to before another, with their values, as they are now: RANGE FROM TO; an empty TO: all that follow.
// It counts them first, since RESP says first how many strings there are, and then walks over the same snapshot again.
func (c *connection) span(words [][]byte) error {
	now := c.store.snapshot()
	n := 0
	if err := now.walk(words[0], words[1], func(record) error { n++; return nil }); err != nil {
		return errors.Join(c.refuse(err), now.release())
	}
	return errors.Join(c.say("*"+strconv.Itoa(2*n)), now.walk(words[0], words[1], c.pair), now.release())
}

func (c *connection) pair(r record) error { return errors.Join(c.send(r.key), c.send(r.value)) }

func (c *connection) save([][]byte) error {
	if err := c.store.save(); err != nil {
		return c.refuse(err)
	}
	return c.say("+OK")
}

func (c *connection) info([][]byte) error {
	s := c.store
	heap := s.heap.Stats()
	s.lock.Lock()
	text := fmt.Sprintf("process_id:%d\nmemtables:%d\nsegments:%d\nflushes:%d\ncompactions:%d\n", os.Getpid(), len(s.current.memtables), len(s.current.segments), s.flushes, s.compactions)
	s.lock.Unlock()
	text += fmt.Sprintf("used_memory:%d\nmaxmemory:%d\nlive_blocks:%d\n", heap.InUseBytes, heap.LimitBytes, heap.LiveBlocks)
	return c.send([]byte(strings.ReplaceAll(text, "\n", crlf)))
}
