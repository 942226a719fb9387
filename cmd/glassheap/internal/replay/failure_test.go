package replay

import (
	"context"
	"errors"
	"math"
	"testing"
	"unsafe"

	"github.com/glassheap/glassheap/allocator"
	"github.com/stretchr/testify/require"
)

// spoil calls how once, at rest, with the block that the recording has at address, as soon as it is in the heap.
func spoil(r *Replay, address uint64, how func(b *block)) {
	done := false
	r.roundEvents = 1
	r.options.Progress = func(Progress) {
		if held, live := r.ledger.live[address]; live && held.block.at != nil && !done {
			done = true
			how(held.block)
		}
	}
}

func flip(offset int) func(*block) {
	return func(b *block) { *(*byte)(unsafe.Add(b.at, offset)) ^= 0x80 }
}

const padding = "+ 0x8000 0x1\n+ 0x8010 0x1\n+ 0x8020 0x1\n" // events that let the rounds before them end

func TestDamageIsFound(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		line int
		when string
	}{
		"at a free":          {"- 0x10\n", 5, "before free"},
		"at a realloc":       {"< 0x10\n> 0x90 0x400\n", 6, "before realloc"},
		"at a lost free":     {"+ 0x10 0x8\n", 5, "before free"},
		"at the end":         {"", 1, "before free"},
		"by another realloc": {"< 0x20\n> 0x10 0x8\n", 6, "before free"},
	} {
		for _, goroutines := range []int{1, 4} {
			for _, mode := range []allocator.Mode{allocator.ModeSealed, allocator.ModePlain} {
				t.Run(name, func(t *testing.T) {
					h := newHeap(t, mode)
					r := newReplay(t, Options{Heap: h, Goroutines: goroutines})
					address := uint64(0)
					spoil(r, 0x10, func(b *block) {
						address = uint64(uintptr(b.at))
						flip(13)(b)
					})
					_, err := run(r, "@ ./a:(f+0x1)[0x1] + 0x10 0x32\n"+padding+c.text)
					damage, ok := errors.AsType[*DamageError](err)
					require.True(t, ok, "%v", err)
					require.Equal(t, &DamageError{
						Line: c.line, When: c.when, Traced: 0x10, Address: address, Size: 0x32, Offset: 13,
						Found: patternAt(0, 13) ^ 0x80, Expected: patternAt(0, 13), AllocLine: 1, AllocBy: "./a:(f+0x1)[0x1]",
					}, damage)
					require.Positive(t, h.Stats().LiveBlocks, "the blocks stay, to be looked at")
					require.NoError(t, r.Release())
					require.Positive(t, h.Stats().LiveBlocks)
					_, err = run(r, "+ 0x10 0x1\n")
					require.ErrorContains(t, err, "an earlier run failed")
				})
			}
		}
	}
}

func TestDamageAsText(t *testing.T) {
	e := DamageError{Line: 7, When: "before free", Traced: 0x10, Address: 0x7f0010, Size: 50, Offset: 13, Found: 1, Expected: 0xab, AllocLine: 2}
	require.EqualError(t, &e, "line 7: contents damaged, found before free: byte 13 of the 50 at 0x7f0010 is 0x01 instead of 0xab (block 0x10 of the recording, allocated in line 2)")
	e.AllocBy = "./a:[0x1]"
	require.ErrorContains(t, &e, "allocated in line 2 by ./a:[0x1])")
}

func TestDamageWhileBlocksAreKept(t *testing.T) {
	h := newHeap(t, allocator.ModeSealed)
	r := newReplay(t, Options{Heap: h, KeepLive: true})
	_, err := run(r, "+ 0x10 0x1\n@ ./a:[0x2] + 0x20 0x2\n+ 0x30 0x3\n")
	require.NoError(t, err)
	flip(2)(r.ledger.live[0x30].block)
	flip(1)(r.ledger.live[0x20].block)
	damage, ok := errors.AsType[*DamageError](r.Release())
	require.True(t, ok)
	require.Equal(t, 2, damage.Line, "the oldest")
	require.Equal(t, "./a:[0x2]", damage.AllocBy)
}

// Of all failures of a round the first one in the recording is told, whoever met it.
func TestFirstFailureIsTold(t *testing.T) {
	h := newHeap(t, allocator.ModeSealed)
	r := newReplay(t, Options{Heap: h, Goroutines: 4})
	r.roundEvents = 8
	r.options.Progress = func(p Progress) {
		if p.Events == 16 {
			for _, held := range r.ledger.live {
				if held.block.number < 8 {
					flip(0)(held.block)
				}
			}
		}
	}
	text := ""
	for i := range 8 {
		text += "+ 0x" + string(rune('1'+i)) + "0 0x8\n"
	}
	text += "- 0xa0\n- 0xa0\n- 0xa0\n- 0xa0\n- 0xa0\n- 0xa0\n- 0xa0\n- 0xa0\n"
	text += "- 0x80\n- 0x70\n- 0x60\n- 0x50\n- 0x40\n- 0x30\n- 0x20\n- 0x10\n"
	_, err := run(r, text)
	damage, ok := errors.AsType[*DamageError](err)
	require.True(t, ok, "%v", err)
	require.Equal(t, 17, damage.Line)
	require.Equal(t, uint64(0x80), damage.Traced)
}

func TestViolationsOfTheHeap(t *testing.T) {
	for name, c := range map[string]struct {
		text, during string
		line         int
	}{
		"free":    {"- 0x10\n", "free", 5},
		"realloc": {"< 0x10\n> 0x10 0x400\n", "realloc", 6},
		"release": {"", "free", 1},
	} {
		t.Run(name, func(t *testing.T) {
			r := newReplay(t, Options{Heap: newHeap(t, allocator.ModeSealed), Goroutines: 2})
			spoil(r, 0x10, flip(0x32)) // the first byte behind the block
			_, err := run(r, "+ 0x10 0x32\n"+padding+c.text)
			refusal, ok := errors.AsType[*HeapError](err)
			require.True(t, ok, "%v", err)
			require.Equal(t, c.line, refusal.Line)
			require.Equal(t, c.during, refusal.During)
			require.Equal(t, uint64(0x10), refusal.Traced)
			violation, ok := errors.AsType[*allocator.Violation](err)
			require.True(t, ok)
			require.Equal(t, allocator.Overflow, violation.Kind)
			require.ErrorContains(t, err, "of block 0x10 of the recording")
		})
	}
}

func TestHeapThatIsTooSmall(t *testing.T) {
	h := newHeap(t, allocator.ModeSealed)
	for text, line := range map[string]int{
		"+ 0x10 0x1\n+ 0x20 0x7fffffff\n":         2,
		"+ 0x10 0xffffffffffffffff\n":             1,
		"+ 0x10 0x1\n< 0x10\n> 0x10 0x7fffffff\n": 3,
	} {
		_, err := run(newReplay(t, Options{Heap: h}), text)
		refusal, ok := errors.AsType[*HeapError](err)
		require.True(t, ok, "%v", err)
		require.Equal(t, line, refusal.Line)
	}
	_, err := run(newReplay(t, Options{Heap: h}), "+ 0x10 0xffffffffffffffff\n")
	size, ok := errors.AsType[*allocator.SizeError](err)
	require.True(t, ok)
	require.Equal(t, math.MaxInt, size.Size)
}

// wrong is a heap with a fault in what it does to the blocks' bytes.
type wrong struct {
	*allocator.Heap
	afterRealloc func(at unsafe.Pointer, n int)
	instead      func(n int) unsafe.Pointer // of Malloc; nil: not this time
}

func (w wrong) Malloc(n int) (unsafe.Pointer, error) {
	if w.instead != nil {
		if at := w.instead(n); at != nil {
			return at, nil
		}
	}
	return w.Heap.Malloc(n)
}

func (w wrong) ReallocPointer(p unsafe.Pointer, n int) (unsafe.Pointer, error) {
	at, err := w.Heap.ReallocPointer(p, n)
	if err == nil && w.afterRealloc != nil {
		w.afterRealloc(at, n)
	}
	return at, err
}

func TestReallocThatLosesBytes(t *testing.T) {
	for _, size := range []string{"0x400", "0x10"} {
		h := newHeap(t, allocator.ModeSealed)
		r := newReplay(t, Options{Heap: h})
		r.heap = wrong{Heap: h, afterRealloc: func(at unsafe.Pointer, n int) { *(*byte)(unsafe.Add(at, min(0x20, n)-1))++ }}
		_, err := run(r, "+ 0x10 0x20\n< 0x10\n> 0x40 "+size+"\n")
		damage, ok := errors.AsType[*DamageError](err)
		require.True(t, ok, "%v", err)
		require.Equal(t, "after realloc", damage.When)
		require.Equal(t, 3, damage.Line)
	}
}

// What the realloc added is not the old contents: a heap may put anything there.
func TestReallocFillsWhatItAdds(t *testing.T) {
	h := newHeap(t, allocator.ModeSealed)
	r := newReplay(t, Options{Heap: h, KeepLive: true})
	r.heap = wrong{Heap: h, afterRealloc: func(at unsafe.Pointer, n int) { *(*byte)(unsafe.Add(at, n-1))++ }}
	_, err := run(r, "+ 0x10 0x20\n< 0x10\n> 0x40 0x400\n")
	require.NoError(t, err)
	b := r.ledger.live[0x40].block
	require.Len(t, b.bytes(), 0x400)
	require.Equal(t, -1, damagedAt(b.bytes(), b.number))
	require.NoError(t, r.Release())
}

func TestMemoryGivenOutTwice(t *testing.T) {
	h := newHeap(t, allocator.ModeSealed)
	r := newReplay(t, Options{Heap: h})
	var first unsafe.Pointer
	r.heap = wrong{Heap: h, instead: func(n int) unsafe.Pointer {
		if first == nil {
			first, _ = h.Malloc(n)
		}
		return first
	}}
	_, err := r.Run(context.Background(), recorded("+ 0x10 0x20\n+ 0x40 0x20\n- 0x10\n"))
	damage, ok := errors.AsType[*DamageError](err)
	require.True(t, ok, "%v", err)
	require.Equal(t, uint64(0x10), damage.Traced)
}
