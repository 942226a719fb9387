package offheap_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unsafe"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/glassheaptest"
	"github.com/glassheap/glassheap/offheap"
)

var (
	_ io.ReadWriter   = (*offheap.Buffer)(nil)
	_ io.ReaderFrom   = (*offheap.Buffer)(nil)
	_ io.WriterTo     = (*offheap.Buffer)(nil)
	_ io.ByteScanner  = (*offheap.Buffer)(nil)
	_ io.ByteWriter   = (*offheap.Buffer)(nil)
	_ io.RuneScanner  = (*offheap.Buffer)(nil)
	_ io.StringWriter = (*offheap.Buffer)(nil)
)

var errBroken = errors.New("the pipe is broken")

// taking is a writer that takes at most so many bytes, and then says so.
type taking struct {
	most  int
	says  error
	taken []byte
}

func (w *taking) Write(p []byte) (int, error) {
	n := min(len(p), w.most-len(w.taken))
	w.taken = append(w.taken, p[:n]...)
	if n < len(p) {
		return n, w.says
	}
	return n, nil
}

// buffers does what can be done with a Buffer and with a bytes.Buffer, and expects the same of both.
func buffers(h *allocator.Heap) func(*rapid.T) {
	return func(t *rapid.T) {
		b, model := offheap.NewBuffer(h), new(bytes.Buffer)
		defer func() { // also of a run that is cut short: the next one uses the same heap
			require.NoError(t, b.Free())
			require.Zero(t, h.Stats().LiveBlocks)
		}()
		unreads := true // false: a line was read where there was none, which a bytes.Buffer takes for having read something
		some := rapid.SliceOfN(rapid.SampledFrom([]byte("ab\n\xc3\xa9\xe2\x82\xac\xff")), 0, 300)
		step := func(does func(*rapid.T)) func(*rapid.T) {
			return func(t *rapid.T) { does(t); unreads = true }
		}
		same := func(t *rapid.T, want, got error) {
			switch {
			case want == nil, errors.Is(want, io.EOF), errors.Is(want, io.ErrShortWrite), errors.Is(want, errBroken):
				require.Equal(t, want, got)
			default:
				require.Error(t, got)
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"Write": step(func(t *rapid.T) {
				p := some.Draw(t, "p")
				n, err := b.Write(p)
				require.NoError(t, err)
				require.Equal(t, len(p), n)
				model.Write(p)
			}),
			"Write of its own": step(func(t *rapid.T) {
				from := rapid.IntRange(0, min(model.Len(), 500)).Draw(t, "from")
				to := rapid.IntRange(from, min(model.Len(), 500)).Draw(t, "to")
				model.Write(bytes.Clone(model.Bytes()[from:to]))
				_, err := b.Write(b.Bytes()[from:to])
				require.NoError(t, err)
			}),
			"WriteString": step(func(t *rapid.T) {
				s := string(some.Draw(t, "s"))
				n, err := b.WriteString(s)
				require.NoError(t, err)
				require.Equal(t, len(s), n)
				model.WriteString(s)
			}),
			"WriteByte": step(func(t *rapid.T) {
				c := rapid.Byte().Draw(t, "c")
				require.NoError(t, b.WriteByte(c))
				model.WriteByte(c)
			}),
			"WriteRune": step(func(t *rapid.T) {
				r := rapid.Rune().Draw(t, "r")
				if rapid.IntRange(0, 3).Draw(t, "none") == 0 {
					r = rapid.SampledFrom([]rune{-1, 0xd800, 0x110000}).Draw(t, "r")
				}
				n, err := b.WriteRune(r)
				require.NoError(t, err)
				want, _ := model.WriteRune(r)
				require.Equal(t, want, n)
			}),
			"ReadFrom": step(func(t *rapid.T) {
				p := some.Draw(t, "p")
				r := rapid.SampledFrom([]func(io.Reader) io.Reader{
					func(r io.Reader) io.Reader { return r }, iotest.DataErrReader, iotest.HalfReader, iotest.OneByteReader, iotest.TimeoutReader,
				}).Draw(t, "reader")
				got, err := b.ReadFrom(r(bytes.NewReader(p)))
				want, wanted := model.ReadFrom(r(bytes.NewReader(p)))
				require.Equal(t, want, got)
				require.Equal(t, wanted, err)
			}),
			"WriteTo": step(func(t *rapid.T) {
				most := rapid.IntRange(0, 600).Draw(t, "most")
				says := rapid.SampledFrom([]error{nil, errBroken}).Draw(t, "says")
				one, other := &taking{most: most, says: says}, &taking{most: most, says: says}
				got, err := b.WriteTo(one)
				want, wanted := model.WriteTo(other)
				require.Equal(t, want, got)
				same(t, wanted, err)
				require.Equal(t, other.taken, one.taken)
			}),
			"Read": step(func(t *rapid.T) {
				n := rapid.IntRange(0, 200).Draw(t, "n")
				one, other := make([]byte, n), make([]byte, n)
				got, err := b.Read(one)
				want, wanted := model.Read(other)
				require.Equal(t, want, got)
				same(t, wanted, err)
				require.Equal(t, other, one)
			}),
			"Next": step(func(t *rapid.T) {
				n := rapid.IntRange(0, 200).Draw(t, "n")
				require.Equal(t, string(model.Next(n)), string(b.Next(n)))
			}),
			"Peek": func(t *rapid.T) {
				n := rapid.IntRange(0, 200).Draw(t, "n")
				want, wanted := model.Peek(n)
				got, err := b.Peek(n)
				require.Equal(t, string(want), string(got))
				same(t, wanted, err)
			},
			"ReadByte": step(func(t *rapid.T) {
				got, err := b.ReadByte()
				want, wanted := model.ReadByte()
				require.Equal(t, want, got)
				same(t, wanted, err)
			}),
			"ReadRune": step(func(t *rapid.T) {
				r, n, err := b.ReadRune()
				want, size, wanted := model.ReadRune()
				require.Equal(t, want, r)
				require.Equal(t, size, n)
				same(t, wanted, err)
			}),
			"ReadBytes": func(t *rapid.T) {
				unreads = model.Len() > 0
				want, wanted := model.ReadBytes('\n')
				got, err := b.ReadBytes('\n')
				require.Equal(t, string(want), string(got))
				same(t, wanted, err)
			},
			"ReadString": func(t *rapid.T) {
				unreads = model.Len() > 0
				want, wanted := model.ReadString('a')
				got, err := b.ReadString('a')
				require.Equal(t, want, got)
				same(t, wanted, err)
			},
			"UnreadByte": func(t *rapid.T) {
				if unreads {
					same(t, model.UnreadByte(), b.UnreadByte())
				}
			},
			"UnreadRune": func(t *rapid.T) {
				if unreads {
					same(t, model.UnreadRune(), b.UnreadRune())
				}
			},
			"Grow": step(func(t *rapid.T) {
				n := rapid.IntRange(0, 2000).Draw(t, "n")
				require.NoError(t, b.Grow(n))
				model.Grow(n)
				require.GreaterOrEqual(t, b.Available(), n)
				held := b.Cap()
				_, err := b.Write(make([]byte, n))
				require.NoError(t, err)
				model.Write(make([]byte, n))
				require.Equal(t, held, b.Cap())
			}),
			"Truncate": step(func(t *rapid.T) {
				n := rapid.IntRange(0, model.Len()).Draw(t, "n")
				b.Truncate(n)
				model.Truncate(n)
			}),
			"Reset": step(func(t *rapid.T) {
				b.Reset()
				model.Reset()
			}),
			"": func(t *rapid.T) {
				require.Equal(t, model.Len(), b.Len())
				require.Equal(t, model.String(), b.String())
				require.Equal(t, b.Len(), cap(b.Bytes()))
			},
		})
	}
}

func TestBufferIsABytesBuffer(t *testing.T) {
	for name, h := range map[string]*allocator.Heap{
		"audit": glassheaptest.New(t), "sealed": heapOf(t, allocator.ModeSealed), "plain": heapOf(t, allocator.ModePlain),
	} {
		t.Run(name, func(t *testing.T) { rapid.Check(t, buffers(h)) })
	}
}

func FuzzBuffer(f *testing.F) {
	f.Fuzz(rapid.MakeFuzz(buffers(glassheaptest.New(f))))
}

// TestBufferAsAReader passes what every reader has to.
func TestBufferAsAReader(t *testing.T) {
	b := offheap.NewBuffer(glassheaptest.New(t))
	text := strings.Repeat("so glad that you came; ", 100)
	_, err := b.WriteString(text)
	require.NoError(t, err)
	require.NoError(t, iotest.TestReader(b, []byte(text)))
	require.NoError(t, b.Free())
}

// TestBufferAsAQueue: what goes through it does not make it grow.
func TestBufferAsAQueue(t *testing.T) {
	h := glassheaptest.New(t)
	b := offheap.NewBuffer(h)
	var next, want byte
	for range 10_000 {
		p := make([]byte, 100)
		for i := range p {
			p[i], next = next, next+1
		}
		_, err := b.Write(p)
		require.NoError(t, err)
		if b.Len() < 1000 {
			continue
		}
		for _, c := range b.Next(100) {
			require.Equal(t, want, c)
			want++
		}
	}
	require.Less(t, b.Cap(), 8192)
	require.NoError(t, b.Free())
}

func TestBufferThatHasNoRoom(t *testing.T) {
	h := glassheaptest.NewWith(t, allocator.Options{ReserveBytes: 16 << 20})
	b := offheap.NewBuffer(h)
	_, err := b.WriteString("stays")
	require.NoError(t, err)
	for _, n := range []int{64 << 20, int(^uint(0) >> 1)} {
		require.ErrorAs(t, b.Grow(n), new(*allocator.SizeError))
	}
	n, err := b.Write(make([]byte, 64<<20))
	require.ErrorAs(t, err, new(*allocator.SizeError))
	require.Zero(t, n)
	require.NoError(t, h.SetLimit(1<<20))
	read, err := b.ReadFrom(endless{})
	require.ErrorAs(t, err, new(*allocator.LimitError))
	require.EqualValues(t, b.Len(), 5+read)
	require.Equal(t, "stays0000", string(b.Next(9)))
	require.Panics(t, func() { _ = b.Grow(-1) })
	require.Panics(t, func() { b.Truncate(-1) })
	require.Panics(t, func() { b.Truncate(b.Len() + 1) })
	require.Panics(t, func() { b.Next(-1) })
	require.NoError(t, b.Free())
}

func TestBufferBelievesNoLiar(t *testing.T) {
	b := offheap.NewBuffer(glassheaptest.New(t))
	require.NoError(t, b.WriteByte('a'))
	for _, n := range []liar{-1, 1 << 30} {
		require.Panics(t, func() { _, _ = b.ReadFrom(n) })
		require.Panics(t, func() { _, _ = b.WriteTo(n) })
	}
	require.Equal(t, "a", b.String())
	require.NoError(t, b.Free())
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '0'
	}
	return len(p), nil
}

// liar says that it read or wrote so many bytes.
type liar int

func (n liar) Read([]byte) (int, error)  { return int(n), nil }
func (n liar) Write([]byte) (int, error) { return int(n), nil }

func TestBufferAfterFree(t *testing.T) {
	h := glassheaptest.New(t)
	b := offheap.NewBuffer(h)
	_, err := b.WriteString("some")
	require.NoError(t, err)
	require.NoError(t, b.Free())
	second := func(_ any, err error) error { return err }
	_, _, rune := b.ReadRune()
	for call, err := range map[string]error{
		"Write": second(b.Write(nil)), "WriteByte": b.WriteByte(1), "WriteRune": second(b.WriteRune('a')), "ReadFrom": second(b.ReadFrom(endless{})),
		"WriteTo": second(b.WriteTo(io.Discard)), "Read": second(b.Read(nil)), "Peek": second(b.Peek(0)), "ReadByte": second(b.ReadByte()),
		"ReadRune": rune, "ReadBytes": second(b.ReadBytes(0)), "ReadString": second(b.ReadString(0)), "UnreadByte": b.UnreadByte(),
		"UnreadRune": b.UnreadRune(), "Grow": b.Grow(0), "Free": b.Free(),
	} {
		require.ErrorIs(t, err, offheap.ErrFreed, call)
		require.ErrorContains(t, err, call+" of a Buffer")
	}
	require.ErrorIs(t, second(b.WriteString("more")), offheap.ErrFreed)
	for call, f := range map[string]func(){
		"Len": func() { b.Len() }, "Cap": func() { b.Cap() }, "Available": func() { b.Available() }, "Bytes": func() { b.Bytes() },
		"String": func() { _ = b.String() }, "Reset": b.Reset, "Truncate": func() { b.Truncate(0) }, "Next": func() { b.Next(0) },
	} {
		panicsFreed(t, f, call+" of a Buffer")
	}
}

// TestBufferIsWatched: what is written past its block is told.
func TestBufferIsWatched(t *testing.T) {
	h := heapOf(t, allocator.ModeSealed)
	b := offheap.NewBuffer(h)
	require.NoError(t, b.Grow(50))
	require.NoError(t, b.WriteByte('a'))
	past := (*byte)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(b.Bytes())), b.Cap()))
	was := *past
	*past ^= 1
	violation(t, b.Grow(1000), allocator.Overflow)
	*past = was
	require.NoError(t, b.Free())
}
