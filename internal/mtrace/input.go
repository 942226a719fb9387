package mtrace

import (
	"errors"
	"io"
	"sync/atomic"
)

// ErrInterrupted is what Next returns after Interrupt.
var ErrInterrupted = errors.New("reading the recording was interrupted")

// counted counts the bytes that are read through it.
type counted struct {
	in   io.Reader
	read atomic.Int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.in.Read(p)
	c.read.Add(int64(n))
	return n, err
}

// interruptible fails once it is told to. It sits behind the decoder, so that not even a few bytes that decode to terabytes
// hold up an interruption.
type interruptible struct {
	in      io.Reader
	stopped atomic.Bool
}

func (i *interruptible) Read(p []byte) (int, error) {
	if i.stopped.Load() {
		return 0, ErrInterrupted
	}
	n, err := i.in.Read(p)
	if err != nil && i.stopped.Load() {
		err = ErrInterrupted
	}
	return n, err
}
