package offheap

import (
	"bytes"
	"errors"
	"io"
	"math"
	"runtime"
	"unicode/utf8"
	"unsafe"

	"github.com/glassheap/glassheap/allocator"
)

// Buffer is a bytes.Buffer off the Go heap: bytes that are written at its end and read from its beginning, in one block of its heap
// that grows. Make one with NewBuffer; it must be freed. It is not safe for concurrent use.
//
// Methods do what those of bytes.Buffer do, but for this: what has no room is an error of the heap, not a panic, and slices of Bytes,
// Next and Peek must not be used after the next call that writes, since a block that was outgrown is freed at once. In audit mode the
// block is shown as allocated by whoever made it grow last.
type Buffer struct {
	_        noCopy
	heap     *allocator.Heap // nil: it was freed
	block    []byte
	from, to int // what is unread of the block
	last     int // how many bytes UnreadByte or UnreadRune takes back: negative for a rune, 0 for none
	claim    *claim
}

// NewBuffer makes an empty Buffer. It takes no memory of the heap until something is written; Grow does so at once.
func NewBuffer(h *allocator.Heap, options ...Option) *Buffer {
	b := &Buffer{heap: h}
	b.claim = stake(b, "Buffer", 0, nil, reportOf(options))
	return b
}

// must panics if the Buffer was freed.
func (b *Buffer) must(call string) {
	if b.heap == nil {
		panic(freed(call, "Buffer"))
	}
}

// Len is how many bytes are unread. It panics with ErrFreed after Free, as do all methods that return no error.
func (b *Buffer) Len() int {
	b.must("Len")
	return b.to - b.from
}

// Cap is how many bytes the block has.
func (b *Buffer) Cap() int {
	b.must("Cap")
	return len(b.block)
}

// Available is how many bytes can be written before the Buffer has to move any.
func (b *Buffer) Available() int {
	b.must("Available")
	return len(b.block) - b.to
}

// Bytes is what is unread, where it lies. It is valid until the next call that writes, or Reset or Free.
func (b *Buffer) Bytes() []byte {
	b.must("Bytes")
	return b.unread()
}

func (b *Buffer) unread() []byte { return b.block[b.from:b.to:b.to] }

// String is a copy of what is unread, in the Go heap.
func (b *Buffer) String() string {
	b.must("String")
	return string(b.unread())
}

// Reset empties the Buffer. The block stays.
func (b *Buffer) Reset() {
	b.must("Reset")
	b.from, b.to, b.last = 0, 0, 0
}

// Truncate leaves the first n unread bytes. It panics when n is negative or there are fewer.
func (b *Buffer) Truncate(n int) {
	b.must("Truncate")
	if n < 0 || n > b.to-b.from {
		panic(errors.New("offheap: Truncate of a Buffer: there are not so many bytes"))
	}
	b.last = 0
	b.to = b.from + n
	if n == 0 {
		b.from, b.to = 0, 0
	}
}

// Grow sees to it that n more bytes can be written without moving any. It panics when n is negative.
func (b *Buffer) Grow(n int) error {
	if n < 0 {
		panic(errors.New("offheap: Grow of a Buffer by a negative count"))
	}
	return b.room("Grow", n)
}

// room sees to it that n bytes have room behind what is written.
func (b *Buffer) room(call string, n int) error {
	if b.heap == nil {
		return freed(call, "Buffer")
	}
	b.last = 0
	if n <= len(b.block)-b.to {
		return nil
	}
	unread := b.to - b.from
	if b.from > 0 {
		// Where half would stay free it is enough to move what is unread; else that would have to be done too often.
		copy(b.block, b.unread())
		b.from, b.to = 0, unread
		if n <= len(b.block)/2-unread {
			return nil
		}
	}
	size := math.MaxInt // which is refused
	if need := unread + n; need > 0 {
		size = max(need, roomier(len(b.block), 1))
	}
	block, err := b.heap.Realloc(b.block, size)
	if err != nil {
		return err
	}
	b.block = block
	b.claim.holds(size)
	return nil
}

// Write adds p, which may be a part of the Buffer itself. With an error, of the heap, nothing was written.
func (b *Buffer) Write(p []byte) (int, error) {
	if len(p) > len(b.block)-b.to && overlap(b.block, p) {
		p = bytes.Clone(p) // the block may be about to be freed, and its bytes to move
	}
	if err := b.room("Write", len(p)); err != nil {
		return 0, err
	}
	b.to += copy(b.block[b.to:], p)
	return len(p), nil
}

// WriteString adds s. With an error, of the heap, nothing was written.
func (b *Buffer) WriteString(s string) (int, error) {
	return b.Write(unsafe.Slice(unsafe.StringData(s), len(s)))
}

// WriteByte adds a byte. With an error, of the heap, nothing was written.
func (b *Buffer) WriteByte(c byte) error {
	if err := b.room("WriteByte", 1); err != nil {
		return err
	}
	b.block[b.to] = c
	b.to++
	return nil
}

// WriteRune adds a rune as UTF-8 and returns how many bytes that took. With an error, of the heap, nothing was written.
func (b *Buffer) WriteRune(r rune) (int, error) {
	n := utf8.RuneLen(r)
	if n < 0 {
		n = utf8.RuneLen(utf8.RuneError) // which is written in its place
	}
	if err := b.room("WriteRune", n); err != nil {
		return 0, err
	}
	b.to += utf8.EncodeRune(b.block[b.to:], r)
	return n, nil
}

// leastRead is for how many bytes ReadFrom makes room before it reads.
const leastRead = bytes.MinRead

// ReadFrom adds what r has until its end, and returns how many bytes that were. The error is r's, but io.EOF, or the heap's. r is
// handed the block itself: it must not keep the slice. It panics when r says that it read a negative count, or more than there was room for.
func (b *Buffer) ReadFrom(r io.Reader) (total int64, err error) {
	for {
		if err := b.room("ReadFrom", leastRead); err != nil {
			return total, err
		}
		n, err := r.Read(b.block[b.to:])
		if n < 0 || n > len(b.block)-b.to {
			panic(errors.New("offheap: ReadFrom of a Buffer: the reader returned a count that can't be"))
		}
		b.to += n
		total += int64(n)
		if err == io.EOF {
			return total, nil
		}
		if err != nil {
			return total, err
		}
	}
}

// WriteTo writes what is unread to w, and reads it by that, as far as w took it. It returns how many bytes w took. The error is w's, or
// io.ErrShortWrite. It panics when w says that it took a negative count, or more than there was.
func (b *Buffer) WriteTo(w io.Writer) (int64, error) {
	if b.heap == nil {
		return 0, freed("WriteTo", "Buffer")
	}
	b.last = 0
	if b.from == b.to {
		b.from, b.to = 0, 0
		return 0, nil
	}
	unread := b.unread()
	n, err := w.Write(unread)
	if n < 0 || n > len(unread) {
		panic(errors.New("offheap: WriteTo of a Buffer: the writer returned a count that can't be"))
	}
	b.from += n
	if err != nil {
		return int64(n), err
	}
	if n < len(unread) {
		return int64(n), io.ErrShortWrite
	}
	b.from, b.to = 0, 0
	return int64(n), nil
}

// Read reads up to len(p) bytes into p. At the end it returns io.EOF, unless p is empty.
func (b *Buffer) Read(p []byte) (int, error) {
	if b.heap == nil {
		return 0, freed("Read", "Buffer")
	}
	if b.atEnd() {
		if len(p) == 0 {
			return 0, nil
		}
		return 0, io.EOF
	}
	n := copy(p, b.unread())
	b.from += n
	b.last = min(n, 1)
	return n, nil
}

// atEnd reports whether nothing is unread; then all of the block is free again.
func (b *Buffer) atEnd() bool {
	b.last = 0
	if b.from < b.to {
		return false
	}
	b.from, b.to = 0, 0
	return true
}

// Next reads the next n bytes, or as many as there are, and returns them where they lie, until the next call that writes, or Reset or
// Free. It panics when n is negative.
func (b *Buffer) Next(n int) []byte {
	b.must("Next")
	next := b.unread()[:min(n, b.to-b.from)]
	b.from += len(next)
	b.last = min(len(next), 1)
	return next
}

// Peek returns the next n bytes where they lie, without reading them, until the next call that writes, or Reset or Free. With fewer it
// returns those there are, and io.EOF. It panics when n is negative.
func (b *Buffer) Peek(n int) ([]byte, error) {
	if b.heap == nil {
		return nil, freed("Peek", "Buffer")
	}
	next := b.unread()[:min(n, b.to-b.from)]
	if len(next) < n {
		return next, io.EOF
	}
	return next, nil
}

// ReadByte reads a byte. At the end it returns io.EOF.
func (b *Buffer) ReadByte() (byte, error) {
	if b.heap == nil {
		return 0, freed("ReadByte", "Buffer")
	}
	if b.atEnd() {
		return 0, io.EOF
	}
	c := b.block[b.from]
	b.from++
	b.last = 1
	return c, nil
}

// ReadRune reads a rune and tells how many bytes it took; of what is no UTF-8 it reads a byte, as utf8.RuneError. At the end it returns
// io.EOF.
func (b *Buffer) ReadRune() (r rune, size int, err error) {
	if b.heap == nil {
		return 0, 0, freed("ReadRune", "Buffer")
	}
	if b.atEnd() {
		return 0, 0, io.EOF
	}
	r, size = utf8.DecodeRune(b.unread())
	b.from += size
	b.last = -size
	return r, size, nil
}

// ReadBytes reads up to and with the first delim, into the Go heap. Without one it reads all there is, and returns io.EOF.
func (b *Buffer) ReadBytes(delim byte) ([]byte, error) {
	if b.heap == nil {
		return nil, freed("ReadBytes", "Buffer")
	}
	line, err := b.line(delim)
	return bytes.Clone(line), err
}

// ReadString is ReadBytes for a string.
func (b *Buffer) ReadString(delim byte) (string, error) {
	if b.heap == nil {
		return "", freed("ReadString", "Buffer")
	}
	line, err := b.line(delim)
	return string(line), err
}

func (b *Buffer) line(delim byte) (line []byte, err error) {
	line = b.unread()
	if i := bytes.IndexByte(line, delim); i >= 0 {
		line = line[:i+1]
	} else {
		err = io.EOF
	}
	b.from += len(line)
	b.last = min(len(line), 1)
	return line, err
}

var (
	errUnreadByte = errors.New("offheap: UnreadByte of a Buffer: the last call read nothing")
	errUnreadRune = errors.New("offheap: UnreadRune of a Buffer: the last call was no ReadRune that read one")
)

// UnreadByte takes back the last byte that was read, if the last call read some.
func (b *Buffer) UnreadByte() error {
	if b.heap == nil {
		return freed("UnreadByte", "Buffer")
	}
	if b.last == 0 {
		return errUnreadByte
	}
	b.last = 0
	b.from--
	return nil
}

// UnreadRune takes back the rune that the last call, a ReadRune, read.
func (b *Buffer) UnreadRune() error {
	if b.heap == nil {
		return freed("UnreadRune", "Buffer")
	}
	if b.last >= 0 {
		return errUnreadRune
	}
	b.from += b.last
	b.last = 0
	return nil
}

// Free gives the block back. A second Free returns ErrFreed. A violation is as in Heap.Free; then the block is not freed, but the Buffer
// can't be used any more all the same.
func (b *Buffer) Free() error {
	if b.heap == nil {
		return freed("Free", "Buffer")
	}
	b.claim.end()
	err := b.heap.Free(b.block)
	b.heap, b.block, b.from, b.to = nil, nil, 0, 0
	runtime.KeepAlive(b)
	return err
}
