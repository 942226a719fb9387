package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"syscall"
)

// client is a connection to a server.
type client struct {
	conn net.Conn
	in   *bufio.Reader
}

func dial(ctx context.Context, address string) (*client, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() { conn.Close() })
	return &client{conn, bufio.NewReader(conn)}, nil
}

// ask sends a command and returns the first line of the answer.
func (c *client) ask(words ...string) (string, error) {
	text := fmt.Sprintf("*%d"+crlf, len(words))
	for _, word := range words {
		text += fmt.Sprintf("$%d"+crlf+"%s"+crlf, len(word), word)
	}
	if _, err := io.WriteString(c.conn, text); err != nil {
		return "", err
	}
	return c.line()
}

// expect sends a command that has to be answered with one of some lines.
func (c *client) expect(answers []string, words ...string) error {
	answer, err := c.ask(words...)
	for _, want := range answers {
		if err != nil || answer == want {
			return err
		}
	}
	return fmt.Errorf("the server says %.200q, not %q", answer, answers)
}

func (c *client) line() (string, error) {
	line, err := c.in.ReadString('\n')
	return strings.TrimSuffix(line, crlf), err
}

// text reads a string whose first line was read; ok is false when there is none.
func (c *client) text(first string) (text string, ok bool, err error) {
	n, err := strconv.Atoi(strings.TrimPrefix(first, "$"))
	if err != nil || first[0] != '$' {
		return "", false, fmt.Errorf("the server says %.200q", first)
	}
	if n < 0 {
		return "", false, nil
	}
	b := make([]byte, n+len(crlf))
	if _, err := io.ReadFull(c.in, b); err != nil {
		return "", false, err
	}
	return string(b[:n]), true, nil
}

// pair reads a key and its value.
func (c *client) pair() (pair [2]string, err error) {
	for i := range pair {
		first, err := c.line()
		if err != nil {
			return pair, err
		}
		if pair[i], _, err = c.text(first); err != nil {
			return pair, err
		}
	}
	return pair, nil
}

// errHungUp is what the end of a connection means.
var errHungUp = errors.New("the server has hung up")

// understood says in a line what a connection's end means.
func understood(err error) error {
	for _, end := range []error{io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, syscall.EPIPE} {
		if errors.Is(err, end) {
			return errHungUp
		}
	}
	return err
}
