package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
)

const (
	mostKeyBytes = 250 // memcached's
	crlf         = "\r\n"
)

// connection is one client's.
type connection struct {
	cache   *cache
	conn    net.Conn
	in      *bufio.Reader
	largest int // value, in bytes
}

func newConnection(cache *cache, conn net.Conn, largest int) *connection {
	return &connection{cache, conn, bufio.NewReader(conn), largest}
}

var (
	errQuit     = errors.New("the client has said quit")
	errBadChunk = errors.New("the value does not end where its length says")
)

// serve answers commands until the client has gone. Errors of the connection end it, and are nobody else's business; what
// the heap says is: it panics.
func (c *connection) serve() {
	defer c.conn.Close()
	for {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return
		}
		words := strings.Fields(string(line))
		if len(words) == 0 {
			words = []string{""}
		}
		if err := c.obey(words[0], words[1:]); err != nil {
			return
		}
	}
}

func (c *connection) obey(command string, words []string) error {
	switch command {
	case "get":
		return c.get(words)
	case "set":
		return c.set(words)
	case "delete":
		return c.remove(words)
	case "stats":
		return c.stats()
	case "version":
		return c.say("VERSION glassheap")
	case "quit":
		return errQuit
	}
	return c.say("ERROR")
}

func (c *connection) say(line string) error {
	_, err := io.WriteString(c.conn, line+crlf)
	return err
}

// get sends the values of the keys that are there, from where they lie.
func (c *connection) get(keys []string) error {
	for _, key := range keys {
		if err := c.send(key); err != nil {
			return err
		}
	}
	return c.say("END")
}

func (c *connection) send(key string) error {
	cache := c.cache
	cache.gets.Add(1)
	shard, hash := cache.shard(key)
	it := shard.get(hash, key)
	if it == nil {
		return nil
	}
	cache.hits.Add(1)
	value := it.value()
	first := fmt.Sprintf("VALUE %s %d %d"+crlf, key, it.header().flags, len(value))
	_, err := (&net.Buffers{[]byte(first), value, []byte(crlf)}).WriteTo(c.conn)
	return errors.Join(err, shard.done(it))
}

// set takes a value: set KEY FLAGS EXPIRY BYTES.
func (c *connection) set(words []string) error {
	cache := c.cache
	key, flags, n, err := parseSet(words)
	if err != nil { // how long the value is, nobody knows
		return errors.Join(c.say("CLIENT_ERROR "+err.Error()), errQuit)
	}
	if len(key) > mostKeyBytes || n > c.largest {
		return errors.Join(c.skip(n+len(crlf)), c.say("SERVER_ERROR object too large for cache"))
	}
	e, err := cache.make(key, flags, n)
	if err != nil {
		return errors.Join(c.skip(n+len(crlf)), c.say("SERVER_ERROR out of memory storing object"))
	}
	err = c.receive(e)
	switch {
	case errors.Is(err, errBadChunk):
		cache.refused.Add(1)
		return errors.Join(cache.heap.Free(e.block), c.say("CLIENT_ERROR bad data chunk"))
	case err != nil:
		return errors.Join(cache.heap.Free(e.block), err)
	}
	shard, hash := cache.shard(key)
	if err := shard.put(hash, e); err != nil {
		return err
	}
	cache.sets.Add(1)
	return c.say("STORED")
}

// parseSet reads the words behind set.
func parseSet(words []string) (key string, flags uint32, n int, err error) {
	if len(words) != 4 {
		return "", 0, 0, errors.New("bad command line format")
	}
	f, err := strconv.ParseUint(words[1], 10, 32)
	if err != nil {
		return "", 0, 0, errors.New("bad flags")
	}
	if words[2] != "0" {
		return "", 0, 0, errors.New("entries do not expire here: say 0")
	}
	size, err := strconv.ParseUint(words[3], 10, 31)
	if err != nil {
		return "", 0, 0, errors.New("bad length")
	}
	return words[0], uint32(f), int(size), nil
}

// receive reads the value to where it is to lie. What is no value stays its caller's to free.
func (c *connection) receive(e entry) error {
	if _, err := io.ReadFull(c.in, e.value()); err != nil {
		return err
	}
	end, err := c.in.ReadSlice('\n')
	if err == nil && string(end) != crlf {
		err = errBadChunk
	}
	return err
}

func (c *connection) skip(n int) error {
	_, err := c.in.Discard(n)
	return err
}

func (c *connection) remove(words []string) error {
	if len(words) != 1 {
		return c.say("CLIENT_ERROR bad command line format")
	}
	shard, hash := c.cache.shard(words[0])
	switch found, err := shard.remove(hash, words[0]); {
	case err != nil:
		return err
	case found:
		return c.say("DELETED")
	}
	return c.say("NOT_FOUND")
}

func (c *connection) stats() error {
	cache := c.cache
	items, evicted, unread := 0, 0, 0
	for _, s := range cache.shards {
		s.lock.Lock()
		items, evicted, unread = items+len(s.index), evicted+s.evicted, unread+s.evictedUnread
		s.lock.Unlock()
	}
	heap := cache.heap.Stats()
	for _, figure := range []struct {
		name  string
		value any
	}{
		{"pid", os.Getpid()},
		{"curr_items", items},
		{"cmd_get", cache.gets.Load()},
		{"get_hits", cache.hits.Load()},
		{"cmd_set", cache.sets.Load()},
		{"bad_chunks", cache.refused.Load()},
		{"evictions", evicted},
		{"evicted_unfetched", unread},
		{"limit_maxbytes", heap.LimitBytes},
		{"bytes", heap.InUseBytes},
		{"live_blocks", heap.LiveBlocks},
	} {
		if err := c.say(fmt.Sprintf("STAT %s %v", figure.name, figure.value)); err != nil {
			return err
		}
	}
	return c.say("END")
}
